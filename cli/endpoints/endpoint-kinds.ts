import type { Endpoint } from '../../client/client.ts';

type KindOfEndpoint = {
  /** Whether a person creates them; callbacks come from registrations. */
  readonly isCreated: boolean;
  /** The flag of `endpoints add` that says where to send. */
  readonly needs?: 'to' | 'bus';
};

/** Each kind has to be here. */
export const KINDS: Readonly<Record<Endpoint['kind'], KindOfEndpoint>> = {
  http: { isCreated: true, needs: 'to' },
  pull: { isCreated: true },
  eventbridge: { isCreated: true, needs: 'bus' },
  callback: { isCreated: false },
};

export const ENDPOINT_KINDS = Object.keys(KINDS) as Endpoint['kind'][];

/** The kinds of endpoints that can be added. */
export const CREATED_KINDS = ENDPOINT_KINDS.filter((kind) => KINDS[kind].isCreated);
