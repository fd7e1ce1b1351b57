import { requireEnv } from '../adapters/lambda/env.ts';
import type { Lane } from '../domain/work.ts';

const VARIABLES = {
  poll: 'POLL_QUEUE_URL',
  copy: 'COPY_QUEUE_URL',
  dispatch: 'DISPATCH_QUEUE_URL',
  deliver: 'DELIVER_QUEUE_URL',
  'deliver-slow': 'DELIVER_SLOW_QUEUE_URL',
} as const satisfies Record<Lane, string>;

/** The URLs of the queues that a stage hints, from its environment. */
export function queueUrls<L extends Lane>(...lanes: L[]): Record<L, string> {
  const env = requireEnv(...lanes.map((lane) => VARIABLES[lane]));
  return Object.fromEntries(lanes.map((lane) => [lane, env[VARIABLES[lane]]])) as Record<L, string>;
}
