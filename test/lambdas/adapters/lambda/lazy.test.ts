import { expect, test } from 'vitest';
import { lazy } from '../../../../lambdas/adapters/lambda/lazy.ts';

test('a lazy function is loaded once, by its first call', async () => {
  let loads = 0;
  const double = lazy(async () => {
    loads++;
    return async (n: number) => 2 * n;
  });
  expect(loads).toBe(0);
  expect(await Promise.all([double(1), double(2), double(3)])).toEqual([2, 4, 6]);
  expect(loads).toBe(1);
});

test('a load that failed is tried again by the next call', async () => {
  let loads = 0;
  const answer = lazy(async () => {
    if (++loads === 1) throw new Error('not there');
    return async () => 42;
  });
  await expect(answer()).rejects.toThrow('not there');
  expect(await answer()).toBe(42);
});
