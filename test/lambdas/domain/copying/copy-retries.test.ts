import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  copyRetryAt,
  diesSoon,
  givesUp,
  hasNoUrl,
  isExpiring,
  MAX_CONSECUTIVE_FAILURES,
  MAX_RESTARTS,
  nextCheckAt,
  renewAt,
  restartAt,
  tooOften,
  urlCheckAt,
} from '../../../../lambdas/domain/copying/copy-retries.ts';

const url = (expiresAt: number | undefined, receivedAt = 0) => ({
  url: 'u',
  version: 1,
  expiresAt,
  receivedAt,
});

test('a URL of a day is renewed five minutes before its end, one of a minute in its last quarter', () => {
  const day = 86_400_000;
  expect(diesSoon(url(day), day - 300_000)).toBe(false);
  expect(diesSoon(url(day), day - 299_999)).toBe(true);
  expect(diesSoon(url(60_000), 45_000)).toBe(false);
  expect(diesSoon(url(60_000), 45_001)).toBe(true);
  // Its life begins when it was received.
  expect(diesSoon(url(1_060_000, 1_000_000), 1_045_000)).toBe(false);
  expect(diesSoon(url(1_060_000, 1_000_000), 1_045_001)).toBe(true);
});

test('a URL of unknown life, or expired when it was given, is left to the source', () => {
  expect(diesSoon(url(undefined), 1e15)).toBe(false);
  expect(diesSoon(url(5, 10), 1e15)).toBe(false);
  expect(diesSoon(url(10, 10), 11)).toBe(false);
  expect(diesSoon(url(11, 10), 12)).toBe(true);
});

test('waits grow from 5 s to 15 min, and make hours in all', () => {
  const waits = Array.from({ length: MAX_CONSECUTIVE_FAILURES }, (_, i) => copyRetryAt(i + 1, 0));
  expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
  expect(Math.max(...waits)).toBe(900_000);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(3 * 3_600_000);
});

test.each([
  ['fresh URLs', renewAt, MAX_CONSECUTIVE_FAILURES],
  ['beginnings', restartAt, MAX_RESTARTS],
])('the first of the %s comes at once, and the last after more than an hour', (_name, at, most) => {
  expect(at(1, 7)).toBe(7);
  const waits = Array.from({ length: most }, (_, i) => at(i + 1, 0));
  expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(3_600_000);
});

test('fresh URLs are asked for with the waits of failures, one failure later', () => {
  expect([0, 1, 2, 3, 4].map((failures) => renewAt(failures, 7))).toEqual([7, 7, 5_007, 10_007, 20_007]);
});

test('beginnings wait a minute, then four times as long each', () => {
  expect([0, 1, 2, 3, 4, 5].map((restarts) => restartAt(restarts, 7))).toEqual([
    7, 7, 60_007, 240_007, 900_007, 900_007,
  ]);
});

test('a copy that failed too often says how often', () => {
  expect(tooOften('the source answered 500', 25)).toBe('the source answered 500, after 25 failures in a row');
});

test('a copy gives up after many failures in a row, and never within an hour', () => {
  const hour = 3_600_000;
  expect(givesUp(MAX_CONSECUTIVE_FAILURES + 1, 7, 7 + hour)).toBe(true);
  expect(givesUp(MAX_CONSECUTIVE_FAILURES, 7, 7 + 9 * hour)).toBe(false);
  expect(givesUp(1_000, 7, 6 + hour)).toBe(false);
});

test('a wait that the source asks for is kept, within an hour', () => {
  expect(copyRetryAt(1, 0, 60_000)).toBe(60_000);
  expect(copyRetryAt(1, 0, 1e9)).toBe(3_600_000);
});

test('the next check for a URL comes 5 s to 5 min later, whatever the time', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.nat(1e9), (since, waited) => {
      const wait = nextCheckAt(since, since + waited) - since - waited;
      expect(wait).toBeGreaterThanOrEqual(5_000);
      expect(wait).toBeLessThanOrEqual(300_000);
    }),
  );
});

test('a URL is looked for again after a quarter of the time that it was waited for', () => {
  expect(nextCheckAt(1_000, 1_000)).toBe(6_000);
  expect(nextCheckAt(1_000, 41_000)).toBe(51_000);
  expect(nextCheckAt(1_000, 10_001_000)).toBe(10_301_000);
});

test('a video is about to be deleted from six hours before the end of its seven days', () => {
  const hour = 3_600_000;
  expect(isExpiring(5, 5 + 162 * hour - 1)).toBe(false);
  expect(isExpiring(5, 5 + 162 * hour)).toBe(true);
});

describe('a copy that waits for a fresh URL', () => {
  const hour = 3_600_000;
  const startedAt = 1_000;
  const expiring = startedAt + 162 * hour;

  test('gives up after a day', () => {
    expect(hasNoUrl(5, 5 + 24 * hour - 1)).toBe(false);
    expect(hasNoUrl(5, 5 + 24 * hour)).toBe(true);
  });

  test('is due at the end of its wait, while its video is far from being deleted', () => {
    expect(urlCheckAt(startedAt, startedAt, startedAt)).toBe(startedAt + 24 * hour);
  });

  test.each([1, hour, 23 * hour])(
    'that began %d ms before the last six hours is due when they begin',
    (ms) => {
      expect(urlCheckAt(expiring - ms, startedAt, expiring - ms)).toBe(expiring);
    },
  );

  test('is due every hour in the last six, until it gives up', () => {
    expect(urlCheckAt(expiring - hour, startedAt, expiring)).toBe(expiring + hour);
    expect(urlCheckAt(expiring + 1, startedAt, expiring + 1)).toBe(expiring + hour + 1);
    const since = expiring - 23.5 * hour;
    expect(urlCheckAt(since, startedAt, expiring)).toBe(since + 24 * hour);
  });
});
