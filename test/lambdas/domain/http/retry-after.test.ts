import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../../lambdas/domain/http/retry-after.ts';

const NOW = Date.parse('2026-11-23T20:00:00.000Z');

test.each([
  ['seconds', '120', 120_000],
  ['fractions of seconds', '1.5', 1_500],
  ['an HTTP date', 'Mon, 23 Nov 2026 20:02:00 GMT', 120_000],
  ['an ISO 8601 time', '2026-11-23T20:02:00Z', 120_000],
  ['seconds since 1970', String(NOW / 1000 + 30), 30_000],
  ['milliseconds since 1970', String(NOW + 30_000), 30_000],
  ['a time that has passed', 'Mon, 23 Nov 2026 19:00:00 GMT', 0],
  ['white space around', '  7 ', 7_000],
])('%s is understood', (_, header, wait) => {
  expect(retryAfterMs(header, NOW)).toBe(wait);
});

test.each(['', 'soon', '-5', '5 minutes', '0x10', '1e3', `${'9'.repeat(40)}`, `Mon, ${'x'.repeat(100)}`])(
  '%j is unreadable',
  (header) => {
    expect(retryAfterMs(header, NOW)).toBeUndefined();
  },
);
