import { backoff, checkWait } from '../backoff.ts';
import type { CopySource } from './copy.ts';

/** Failures in a row, without a part copied between them, that a copy survives: they take about four hours. */
export const MAX_CONSECUTIVE_FAILURES = 24;
/** No copy fails sooner after its beginning, ms: when a person polls by hand, fresh URLs come faster than the waits. */
const LEAST_MS = 3_600_000;

/** Whether a copy that began at `startedAt` has failed after a number of failures in a row. */
export const givesUp = (failures: number, startedAt: number, now: number): boolean =>
  failures > MAX_CONSECUTIVE_FAILURES && now - startedAt >= LEAST_MS;
/** Why it has failed after the last of them. */
export const tooOften = (reason: string, failures: number): string =>
  `${reason}, after ${failures} failures in a row`;

/** How often one copy may begin again from the first byte before it fails. With the waits, this takes over an hour. */
export const MAX_RESTARTS = 7;
/** How long a copy waits for a fresh URL while upstream cannot be reached, ms. */
const URL_WAIT_MS = 86_400_000;
/** How often a copy is checked that waits for its segments, or in its last hours for a fresh URL, ms. */
export const WATCH_MS = 3_600_000;
/** A URL is renewed while it still works: this long before its end, or in the last quarter of its life, ms. */
const RENEW_BEFORE_MS = 300_000;

/** Upstream keeps a video for seven days by default; a person who is told six hours before can still fetch it, ms. */
const EXPIRING_AFTER_MS = (7 * 24 - 6) * 3_600_000;

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 900_000;
const RETRIES = { firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS };
const RESTARTS = { firstMs: 60_000, longestMs: LONGEST_WAIT_MS, factor: 4 };
const LONGEST_ASKED_WAIT_MS = 3_600_000;
const CHECKS = { firstMs: FIRST_WAIT_MS, longestMs: 300_000 };

/** Whether upstream may delete the video of a copy within six hours. */
export const isExpiring = (startedAt: number, now: number): boolean => now - startedAt >= EXPIRING_AFTER_MS;

/** Whether a copy that has awaited a fresh URL since `since` gives up. */
export const hasNoUrl = (since: number, now: number): boolean => now - since >= URL_WAIT_MS;

/**
 * When a copy that has awaited a fresh URL since `since` is due: at the end of the wait. It is also due when upstream may
 * soon delete its video, and regularly from then on, so that someone hears of it in time.
 */
export function urlCheckAt(since: number, startedAt: number, now: number): number {
  const expiringAt = startedAt + EXPIRING_AFTER_MS;
  return Math.min(since + URL_WAIT_MS, now < expiringAt ? expiringAt : now + WATCH_MS);
}

/**
 * When a copy tries again after a number of failures in a row: 5 s doubling up to 15 min, and not before
 * the source asked for, within an hour. All in ms.
 */
export const copyRetryAt = (failures: number, now: number, retryAfterMs = 0): number =>
  now + Math.max(backoff(failures, RETRIES), Math.min(retryAfterMs, LONGEST_ASKED_WAIT_MS));

/**
 * When a copy asks for a fresh URL after a number of failures in a row: at once the first time, since most
 * refused URLs have just expired, and later with the waits of {@link copyRetryAt}.
 */
export const renewAt = (failures: number, now: number): number =>
  failures <= 1 ? now : copyRetryAt(failures - 1, now);

/**
 * When a copy begins again from the first byte, by how often it has: at once the first time, then after
 * 1 min growing to 15 min, since each beginning fetches everything again.
 */
export const restartAt = (restarts: number, now: number): number =>
  restarts <= 1 ? now : now + backoff(restarts - 1, RESTARTS);

/** When a segment that has awaited a fresh URL since `since` checks again: less often as time passes. */
export const nextCheckAt = (since: number, now: number): number => now + checkWait(now - since, CHECKS);

/**
 * Whether the end of a URL, where it is known, is so near that the copy should ask for another. One that
 * had expired when it was given means that a clock is wrong: the source decides.
 */
export function diesSoon({ expiresAt, receivedAt }: CopySource, now: number): boolean {
  if (expiresAt === undefined || expiresAt <= receivedAt) return false;
  return expiresAt - now < Math.min(RENEW_BEFORE_MS, (expiresAt - receivedAt) / 4);
}
