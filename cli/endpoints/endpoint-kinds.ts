import type { Endpoint } from '../../client/client.ts';

/** Whether a person creates endpoints of a kind; callbacks come from registrations. Each kind has to be here. */
const IS_CREATED: Readonly<Record<Endpoint['kind'], boolean>> = {
  http: true,
  pull: true,
  eventbridge: true,
  callback: false,
};

export const ENDPOINT_KINDS = Object.keys(IS_CREATED) as Endpoint['kind'][];

/** The kinds of endpoints that can be added. */
export const CREATED_KINDS = ENDPOINT_KINDS.filter((kind) => IS_CREATED[kind]);
