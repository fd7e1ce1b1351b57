import { expect, test } from 'vitest';
import { readOnce } from '../../../lambdas/adapters/read-once.ts';

/** Reads that fail as often as told, and count. */
function reads(failures: number) {
  let made = 0;
  const read = async () => {
    if (++made <= failures) throw new Error('the table is down');
    return made;
  };
  return read;
}

test('a value is read once, also by calls at the same time, until it is forgotten', async () => {
  const values = readOnce<number>();
  const read = reads(0);
  expect(await Promise.all([values.of('a', read), values.of('a', read)])).toEqual([1, 1]);
  expect(await values.of('b', read)).toBe(2);
  values.forget('a');
  expect(await values.of('a', read)).toBe(3);
  expect(await values.of('b', read)).toBe(2);
  values.forgetAll();
  expect(await values.of('b', read)).toBe(4);
});

test('a read that failed is made again', async () => {
  const values = readOnce<number>();
  const read = reads(1);
  await expect(values.of('a', read)).rejects.toThrow('the table is down');
  expect(await values.of('a', read)).toBe(2);
});

test('a read that fails after its value was forgotten leaves the newer one', async () => {
  const values = readOnce<number>();
  const old = Promise.withResolvers<number>();
  const first = values.of('a', () => old.promise);
  values.forget('a');
  const read = reads(0);
  await values.of('a', read);
  old.reject(new Error('the table is down'));
  await expect(first).rejects.toThrow('the table is down');
  expect(await values.of('a', read)).toBe(1);
});
