import { expect, test, vi } from 'vitest';
import { retryAfterMs } from '../../../../lambdas/domain/http/retry-after.ts';

const NOW = Date.parse('2026-11-23T20:00:00.000Z');

test.each([
  ['seconds', '120', 120_000],
  ['fractions of seconds', '1.5', 1_500],
  ['an HTTP date', 'Mon, 23 Nov 2026 20:02:00 GMT', 120_000],
  ['an HTTP date of asctime', 'Mon Nov 23 20:02:00 2026', 120_000],
  ['an HTTP date of asctime, early in a month', 'Tue Dec  1 20:00:00 2026', 8 * 86_400_000],
  ['an HTTP date of RFC 850', 'Monday, 23-Nov-26 20:02:00 GMT', 120_000],
  ['an HTTP date without its day', '23 Nov 2026 20:02:00 GMT', 120_000],
  ['a date without day and zone', '23 Nov 2026 20:02:00', 120_000],
  ['an ISO 8601 time with a blank', '2026-11-23 20:02:00Z', 120_000],
  ['an ISO 8601 time with a blank and no zone', '2026-11-23 20:02:00', 120_000],
  ['a date in 2099', 'Wed, 23 Nov 2099 20:00:00 GMT', Date.UTC(2099, 10, 23, 20) - NOW],
  ['an ISO 8601 time', '2026-11-23T20:02:00Z', 120_000],
  ['an ISO 8601 time without a zone', '2026-11-23T20:02:00', 120_000],
  ['an ISO 8601 time of another zone', '2026-11-23T21:02:00+01:00', 120_000],
  ['the longest of several numbers', '120, 60', 120_000],
  ['the longest of several values of all kinds', '60, Mon, 23 Nov 2026 20:02:00 GMT,soon', 120_000],
  ['seconds since 1970', String(NOW / 1000 + 30), 30_000],
  ['milliseconds since 1970', String(NOW + 30_000), 30_000],
  ['a time that has passed', 'Mon, 23 Nov 2026 19:00:00 GMT', 0],
  ['white space around', '  7 ', 7_000],
])('%s is understood', (_, header, wait) => {
  expect(retryAfterMs(header, NOW)).toBe(wait);
});

test('a date without a zone is in UTC, wherever the bridge runs', () => {
  vi.stubEnv('TZ', 'America/New_York');
  expect(retryAfterMs('Mon Nov 23 20:02:00 2026', NOW)).toBe(120_000);
  expect(retryAfterMs('2026-11-23T20:02:00', NOW)).toBe(120_000);
  expect(retryAfterMs('2026-11-23 20:02:00', NOW)).toBe(120_000);
  expect(retryAfterMs('23 Nov 2026 20:02:00', NOW)).toBe(120_000);
});

test.each([
  '',
  'soon',
  '-5',
  '5 minutes',
  '0x10',
  '1e3',
  `${'9'.repeat(40)}`,
  `Mon, ${'x'.repeat(100)}`,
  ',',
  '1,'.repeat(200),
])('%j is unreadable', (header) => {
  expect(retryAfterMs(header, NOW)).toBeUndefined();
});
