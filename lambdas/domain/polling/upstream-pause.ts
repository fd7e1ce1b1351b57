/** Why upstream is left alone: it refuses the key, asks for patience, or there is no key to ask it with. */
export type BrakeReason = 'unauthorized' | 'throttled' | 'no-key';

/** While it lasts no request is polled; then one is, as a probe. One row for all of upstream. Times are ms since epoch. */
export type Brake = {
  readonly reason: BrakeReason;
  readonly until: number;
  /** Signals in a row, by which the wait grows. */
  readonly strikes: number;
  /** When the first of them came. */
  readonly since: number;
  /** What to put right. */
  readonly detail?: string;
  /** Until when the answer to a probe is waited for. */
  readonly probeUntil?: number;
};

export type BrakeSignal = {
  readonly reason: BrakeReason;
  /** The wait that upstream asked for, ms. */
  readonly retryAfterMs?: number;
  readonly detail?: string;
};

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 300_000;
/** A wrong key is tried again this often once a probe has confirmed it, so that polling goes on soon after it was put right, ms. */
const KEY_RETRY_MS = 60_000;
/** However short or long upstream asks us to wait, ms. */
const SHORTEST_RETRY_AFTER_MS = 1_000;
const LONGEST_RETRY_AFTER_MS = 86_400_000;

/**
 * Until when polling is held, ms since epoch; undefined without a brake. A time that has passed means
 * that a probe is to be sent.
 */
export const heldUntil = (brake: Brake | undefined): number | undefined =>
  brake && Math.max(brake.until, brake.probeUntil ?? 0);

/**
 * The brake after one more signal from upstream. Signals while it lasts are answers to polls that
 * were under way: they are the same strike, and at most ask for a longer wait. A `Retry-After` is
 * kept; without one the wait doubles from 5 s to 5 min, with jitter (a quarter at most) so that
 * accounts do not return together. A key's first refusal waits as shortly: it may be meant for one
 * request only.
 *
 * @param random a number in [0, 1)
 */
export function braked(previous: Brake | undefined, signal: BrakeSignal, now: number, random: number): Brake {
  if (previous && now < previous.until) {
    if (signal.retryAfterMs === undefined) return previous;
    return { ...previous, until: Math.max(previous.until, now + patience(signal.retryAfterMs)) };
  }
  const { reason, detail } = signal;
  const { strikes, since } = previous?.reason === reason ? previous : { strikes: 0, since: now };
  const next = strikes + 1;
  return { reason, detail, strikes: next, since, until: now + wait(signal, next, random) };
}

function wait(signal: BrakeSignal, strikes: number, random: number): number {
  if (signal.retryAfterMs !== undefined) return patience(signal.retryAfterMs);
  if (signal.reason !== 'throttled' && strikes > 1) return KEY_RETRY_MS;
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (strikes - 1));
  return Math.ceil(backoff * (1 + 0.25 * random));
}

/** For how long upstream is left alone that asks for so much, ms. */
export const patience = (retryAfterMs: number): number =>
  Math.min(LONGEST_RETRY_AFTER_MS, Math.max(SHORTEST_RETRY_AFTER_MS, retryAfterMs));
