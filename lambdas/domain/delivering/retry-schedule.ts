const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * The wait before each attempt after the first, ms (Standard Webhooks' recommended schedule,
 * with a last step at 24 h): 75 h 35 min in all.
 */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** The longest `Retry-After` that is followed, ms: the schedule's longest step. */
export const MAX_RETRY_AFTER_MS = 24 * HOUR;

/**
 * When a delivery is tried again after `failures` failed attempts; undefined when the schedule is
 * exhausted. Jitter only lengthens (by up to a tenth), so that no promise is undercut; `retryAfterMs`
 * is a lower bound.
 *
 * @param random a number in [0, 1)
 */
export function nextAttemptAt(
  failures: number,
  now: number,
  random: number,
  retryAfterMs = 0,
): number | undefined {
  const delay = RETRY_DELAYS_MS[failures - 1];
  if (delay === undefined) return undefined;
  const jittered = delay * (1 + 0.1 * random);
  return now + Math.max(jittered, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
}
