/** While `until` lies ahead no request is polled. One row for all of upstream. */
export type Brake = {
  readonly reason: 'unauthorized' | 'throttled';
  /** ms since epoch. */
  readonly until: number;
  /** Signals in a row, by which the wait grows. */
  readonly strikes: number;
};

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 300_000;
/** A wrong key is tried again this often, so that polling goes on soon after it was put right, ms. */
const KEY_RETRY_MS = 60_000;
/** However long upstream asks us to wait, ms. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * The brake after one more signal from upstream. A `Retry-After` is kept; without one the wait
 * doubles from 5 s to 5 min, with jitter (a quarter at most) so that accounts do not return together.
 *
 * @param random a number in [0, 1)
 */
export function braked(
  previous: Brake | undefined,
  signal: { reason: Brake['reason']; retryAfterMs?: number },
  now: number,
  random: number,
): Brake {
  const strikes = (previous?.reason === signal.reason ? previous.strikes : 0) + 1;
  return { reason: signal.reason, strikes, until: now + wait(signal, strikes, random) };
}

function wait(
  signal: { reason: Brake['reason']; retryAfterMs?: number },
  strikes: number,
  random: number,
): number {
  if (signal.retryAfterMs !== undefined) return Math.min(signal.retryAfterMs, LONGEST_RETRY_AFTER_MS);
  if (signal.reason === 'unauthorized') return KEY_RETRY_MS;
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (strikes - 1));
  return Math.ceil(backoff * (1 + 0.25 * random));
}
