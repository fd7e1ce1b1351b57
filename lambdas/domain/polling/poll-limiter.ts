import { intervalMs } from '../rate-interval.ts';

/** Hands out start times that keep a distance, so that a burst is spread and nothing of it dropped. */
type PollLimiter = {
  /** The earliest start at or after `from` (ms since epoch) that keeps the distance; the call takes it. */
  acquire(from: number): number;
};

/** @param perSecond starts per second, more than 0 */
export function createPollLimiter(perSecond: number): PollLimiter {
  const interval = intervalMs(perSecond);
  let last = Number.NEGATIVE_INFINITY;
  return {
    acquire(from) {
      last = Math.max(from, last + interval);
      return last;
    },
  };
}
