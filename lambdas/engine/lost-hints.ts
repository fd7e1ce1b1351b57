import { log } from '../adapters/lambda/log.ts';
import type { Lane } from '../domain/work.ts';

/** A hint that could not be sent costs at most a minute: the sweep finds its row. */
export function reportLostHints(lane: Lane, count: number, error: unknown): void {
  log.warn('hints not sent; left to the sweep', { lane, count, error: error as Error });
}
