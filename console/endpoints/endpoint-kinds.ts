import type { Endpoint } from '../../client/client.ts';

type Field = 'url' | 'busName' | 'events' | 'rateLimit' | 'ordered' | 'headers' | 'secret';

type KindOfEndpoint = {
  /** What it is, for who creates one; callbacks come from registrations. */
  readonly description?: string;
  /** The fields that differ between kinds. */
  readonly fields: readonly Field[];
  /** Whether a client fetches its messages, and nothing is sent. */
  readonly isFetched?: true;
};

/** What sets the kinds of endpoints apart in the console. */
export const KINDS: Readonly<Record<Endpoint['kind'], KindOfEndpoint>> = {
  http: {
    description: 'the bridge posts to a URL',
    fields: ['url', 'events', 'rateLimit', 'ordered', 'headers', 'secret'],
  },
  pull: {
    description: 'a client behind a firewall fetches its messages',
    fields: ['events', 'secret'],
    isFetched: true,
  },
  eventbridge: {
    description: "the deployment's event bus",
    fields: ['busName', 'events', 'rateLimit', 'ordered'],
  },
  callback: { fields: ['rateLimit', 'ordered', 'headers'] },
};
