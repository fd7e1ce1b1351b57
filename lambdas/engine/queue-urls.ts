import { requireEnv } from '../adapters/lambda/env.ts';
import { type Lane, queueUrlVariable } from '../domain/work.ts';

/** The URLs of the queues that a stage hints, from its environment. */
export function queueUrls<L extends Lane>(...lanes: L[]): Record<L, string> {
  const env = requireEnv(...lanes.map(queueUrlVariable));
  return Object.fromEntries(lanes.map((lane) => [lane, env[queueUrlVariable(lane)]])) as Record<L, string>;
}
