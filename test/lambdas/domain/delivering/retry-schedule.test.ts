import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MAX_RETRY_AFTER_MS,
  nextAttemptAt,
  RETRY_DELAYS_MS,
} from '../../../../lambdas/domain/delivering/retry-schedule.ts';
import { retryAfterMs } from '../../../../lambdas/domain/http/retry-after.ts';

test('the schedule is that of Standard Webhooks: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h', () => {
  expect(RETRY_DELAYS_MS.map((ms) => ms / 60_000)).toEqual([5 / 60, 5, 30, 120, 300, 600, 840, 1200, 1440]);
});

test('after the tenth failure nothing is tried any more', () => {
  expect(nextAttemptAt(9, 0, 0)).toBe(86_400_000);
  expect(nextAttemptAt(10, 0, 0)).toBeUndefined();
});

test('jitter and Retry-After only lengthen a wait, within bounds', () => {
  const failures = fc.integer({ min: 1, max: 9 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(failures, random, fc.nat(10 * MAX_RETRY_AFTER_MS), (n, r, asked) => {
      const wait = nextAttemptAt(n, 0, r, asked) ?? 0;
      const step = RETRY_DELAYS_MS[n - 1] ?? 0;
      expect(wait).toBeGreaterThanOrEqual(Math.max(step, Math.min(asked, MAX_RETRY_AFTER_MS)));
      expect(wait).toBeLessThanOrEqual(Math.max(step * 1.1, MAX_RETRY_AFTER_MS));
    }),
  );
});

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Mon, 23 Nov 2026 20:00:30 GMT', 30_000],
  ['Mon, 23 Nov 2026 19:00:00 GMT', 0],
  ['soon', undefined],
  [undefined, undefined],
])('Retry-After: %s asks for %s ms', (header, wait) => {
  expect(retryAfterMs(header, Date.parse('2026-11-23T20:00:00Z'))).toBe(wait);
});
