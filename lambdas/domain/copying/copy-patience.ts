import type { CopySource } from './copy.ts';

/** Troubles in a row, without a part copied between them, after which a copy has failed: about four hours. */
export const MAX_TROUBLES = 24;
/** Fresh URLs in a row that the source may refuse before a part was copied by one of them. */
export const MAX_REFUSALS = 5;
/** How long a copy waits for a fresh URL, upstream being out of reach, ms. */
export const URL_WAIT_MS = 86_400_000;
/** How often a copy that waits for its segments is looked at all the same, ms. */
export const WATCH_MS = 3_600_000;
/** A URL is renewed while it still works: so long before it dies, or for the last quarter of its life, ms. */
const RENEW_BEFORE_MS = 300_000;

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 900_000;
const LONGEST_LOOK_MS = 300_000;

/**
 * When a copy tries again after so many troubles in a row: 5 s doubling up to 15 min, and not before
 * what the source asked for, within an hour. All in ms.
 */
export function troubleDueAt(troubles: number, now: number, retryAfterMs = 0): number {
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (troubles - 1));
  return now + Math.max(backoff, Math.min(retryAfterMs, 3_600_000));
}

/** When a segment looks again for the URL that is waited for since `since`: seldomer as time goes by. */
export function nextLookAt(since: number, now: number): number {
  return now + Math.min(LONGEST_LOOK_MS, Math.max(FIRST_WAIT_MS, (now - since) / 4));
}

/**
 * Whether a URL is so near its end, where that is known, that another should be asked for. One that
 * was given as expired says more of a clock than of itself; the source will tell.
 */
export function diesSoon({ expiresAt, receivedAt }: CopySource, now: number): boolean {
  if (expiresAt === undefined || expiresAt <= receivedAt) return false;
  return expiresAt - now < Math.min(RENEW_BEFORE_MS, (expiresAt - receivedAt) / 4);
}
