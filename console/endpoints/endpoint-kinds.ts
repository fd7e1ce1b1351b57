import type { Endpoint } from '../../client/client.ts';

type Field = 'url' | 'busName' | 'events' | 'rateLimit' | 'ordered' | 'headers' | 'secret';

type FormOfKind = {
  /** What it is, for who creates one; callbacks come from registrations. */
  readonly description?: string;
  /** The fields that differ between kinds. */
  readonly fields: readonly Field[];
};

/** What the form shows for each kind of endpoints. */
export const KINDS: Readonly<Record<Endpoint['kind'], FormOfKind>> = {
  http: {
    description: 'the bridge posts to a URL',
    fields: ['url', 'events', 'rateLimit', 'ordered', 'headers', 'secret'],
  },
  pull: { description: 'a client behind a firewall fetches its messages', fields: ['events', 'secret'] },
  eventbridge: {
    description: "the deployment's event bus",
    fields: ['busName', 'events', 'rateLimit', 'ordered'],
  },
  callback: { fields: ['rateLimit', 'ordered', 'headers'] },
};
