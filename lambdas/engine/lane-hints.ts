import type { SQSClient } from '@aws-sdk/client-sqs';
import { requireEnv } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { type Lane, queueUrlVariable } from '../domain/work.ts';
import { createHints } from './hints.ts';

/** A function's hints for the lanes, and the URLs of their queues, from its environment. */
export function laneHints<L extends Lane>(client: SQSClient, ...lanes: L[]) {
  const env = requireEnv(...lanes.map(queueUrlVariable));
  const urls = lanes.map((lane) => [lane, env[queueUrlVariable(lane)]]);
  const queueUrls = Object.fromEntries(urls) as Record<L, string>;
  return { hints: createHints({ client, queueUrls, now: Date.now, onLost }), queueUrls };
}

/** A hint that could not be sent costs at most a minute: the sweep finds its row. */
function onLost(lane: Lane, count: number, error: unknown): void {
  log.warn('hints not sent; left to the sweep', { lane, count, error: error as Error });
}
