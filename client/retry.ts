/** Attempts at one call, the first included. */
export const MAX_ATTEMPTS = 4;
/** A longer wait than this is left to the caller, ms. */
const MAX_WAIT_MS = 30_000;
const FIRST_WAIT_MS = 250;

/** Answers that another attempt may change: too many calls, or a gateway or function that is not there at the moment. */
export const isTransient = (status: number): boolean => status === 429 || status >= 500;

/**
 * How long to wait before the next attempt, ms: as the answer asks, or else a random time up to a bound that
 * doubles. Undefined when it is not worth waiting.
 *
 * @param attempts how many there were
 */
export function waitBefore(
  attempts: number,
  retryAfterMs: number | undefined,
  random: () => number,
): number | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined;
  const wait = retryAfterMs ?? FIRST_WAIT_MS * 2 ** (attempts - 1) * (0.5 + random() / 2);
  return wait <= MAX_WAIT_MS ? wait : undefined;
}

/** `Retry-After` in ms, from seconds or an HTTP date; undefined when it is absent or neither. */
export function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
