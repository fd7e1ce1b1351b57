import { backoff } from '../backoff.ts';

/** Why polling is paused: upstream refuses the key, asks to wait, or there is no key to ask with. */
export type PauseReason = 'unauthorized' | 'throttled' | 'no-key';

/**
 * A pause of all polling, which ends with one poll as a probe. One row for all of upstream. Times are ms
 * since epoch.
 */
export type UpstreamPause = {
  readonly reason: PauseReason;
  readonly until: number;
  /** Signals in a row; the wait grows with them. */
  readonly strikes: number;
  /** When the first of them came. */
  readonly since: number;
  /** What to put right. */
  readonly detail?: string;
  /** Until when the answer to a probe is awaited. */
  readonly probeUntil?: number;
};

export type PauseSignal = {
  readonly reason: PauseReason;
  /** The wait that upstream asked for, ms. */
  readonly retryAfterMs?: number;
  readonly detail?: string;
};

/** What a pause is for, in words. */
export const pauseReason = ({ reason, detail }: PauseSignal): string => detail ?? REASONS[reason];

const REASONS: Record<PauseReason, string> = {
  unauthorized: 'Topaz refuses the API key: put a valid one into its secret',
  throttled: 'Topaz limits the rate of polls (429 or 503)',
  'no-key': 'there is no Topaz API key: put yours into its secret',
};

const WAITS = { firstMs: 5_000, longestMs: 300_000 };
/** A wrong key is tried again this often once a probe has confirmed it, so that polling resumes soon after it was corrected. */
const KEY_RETRY_MS = 60_000;
/** Bounds of what upstream may ask for: one header must not stop all polling for a day. A probe then asks again. */
const SHORTEST_RETRY_AFTER_MS = 1_000;
const LONGEST_RETRY_AFTER_MS = 900_000;

/**
 * Until when polling is held, ms since epoch; undefined without a pause. A time that has passed means
 * that a probe is to be sent.
 */
export const heldUntil = (pause: UpstreamPause | undefined): number | undefined =>
  pause && Math.max(pause.until, pause.probeUntil ?? 0);

/**
 * The pause after one more signal from upstream. Signals during a pause answer polls that were under way:
 * they are the same strike, and at most ask for a longer wait. A `Retry-After` is kept, up to 15 min;
 * without one the wait doubles from 5 s to 5 min, with jitter (a quarter at most) so that accounts do not
 * return together. The first refusal of a key waits as briefly: it may concern one request only.
 *
 * @param random a number in [0, 1)
 */
export function paused(
  previous: UpstreamPause | undefined,
  signal: PauseSignal,
  now: number,
  random: number,
): UpstreamPause {
  if (previous && now < previous.until) {
    if (signal.retryAfterMs === undefined) return previous;
    return { ...previous, until: Math.max(previous.until, now + boundedRetryAfter(signal.retryAfterMs)) };
  }
  const { reason, detail } = signal;
  const { strikes, since } = previous?.reason === reason ? previous : { strikes: 0, since: now };
  const next = strikes + 1;
  return { reason, detail, strikes: next, since, until: now + wait(signal, next, random) };
}

function wait(signal: PauseSignal, strikes: number, random: number): number {
  if (signal.retryAfterMs !== undefined) return boundedRetryAfter(signal.retryAfterMs);
  if (signal.reason !== 'throttled' && strikes > 1) return KEY_RETRY_MS;
  return Math.ceil(backoff(strikes, WAITS) * (1 + 0.25 * random));
}

/** The wait that is granted to upstream, ms. */
export const boundedRetryAfter = (retryAfterMs: number): number =>
  Math.min(LONGEST_RETRY_AFTER_MS, Math.max(SHORTEST_RETRY_AFTER_MS, retryAfterMs));
