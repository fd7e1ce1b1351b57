import { backoff } from '../backoff.ts';
import type { RequestRow } from '../requests/request.ts';
import type { PollOutcome } from '../requests/transition.ts';
import { nextPollAt, PRICE_OF_POLL } from './poll-schedule.ts';
import { scarcity } from './scarcity.ts';

const WAITS = { firstMs: 5_000, longestMs: 300_000 };
/** While a 404 is not yet believed, ms. */
const NOT_FOUND_WAIT_MS = 30_000;

/**
 * When a request is polled next, ms since epoch: by the schedule, at the price that polls have at
 * present; after polls that brought no status, or no download, after a backoff with jitter.
 *
 * @param row as the poll leaves it
 * @param poll what it got, and how late it began, ms
 * @param random a number in [0, 1)
 */
export function nextPoll(
  row: RequestRow,
  poll: { readonly outcome: PollOutcome; readonly lateness: number },
  now: number,
  random: number,
): number {
  const { outcome } = poll;
  if (outcome.kind === 'not-found') return now + NOT_FOUND_WAIT_MS;
  const misses = outcome.kind === 'fault' ? (row.faults ?? 1) : (row.downloadMissing ?? 0);
  if (misses > 0) {
    const asked = outcome.kind === 'fault' ? (outcome.retryAfterMs ?? 0) : 0;
    return now + Math.max(asked, Math.ceil(backoff(misses, WAITS) * (1 + 0.25 * random)));
  }
  return nextPollAt(row, now, PRICE_OF_POLL * scarcity(poll.lateness));
}
