import { expect, test } from 'vitest';
import { freshDueAt, retryAt } from '../../../lambdas/engine/due-time.ts';

test('a due time is in whole milliseconds, not before what was wanted, and none of the recent ones', () => {
  expect(freshDueAt(5)).toBe(5);
  expect(freshDueAt(5.1)).toBe(6);
  expect(freshDueAt(5, 5, undefined, 6, 8)).toBe(7);
});

test('work that threw waits from 5 s to 5 min', () => {
  expect([1, 2, 3, 7, 100].map((claims) => retryAt(claims, 1_000))).toEqual([
    6_000, 11_000, 21_000, 301_000, 301_000,
  ]);
});
