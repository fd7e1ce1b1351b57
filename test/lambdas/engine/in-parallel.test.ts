import { expect, test } from 'vitest';
import { inParallel } from '../../../lambdas/engine/in-parallel.ts';

/** Work that goes on until it is released, and how much of it is under way. */
function gated() {
  const waiting: { item: number; release: () => void }[] = [];
  const work = (item: number) =>
    new Promise<string>((resolve) => {
      waiting.push({ item, release: () => resolve(`did ${item}`) });
    });
  return { waiting, work };
}
const settle = () => new Promise(setImmediate);

test('so many are worked on at a time, and the results are in the order of the items', async () => {
  const { waiting, work } = gated();
  const all = inParallel([1, 2, 3, 4], 2, work);
  await settle();
  expect(waiting.map(({ item }) => item)).toEqual([1, 2]);
  waiting[1]?.release();
  await settle();
  expect(waiting.map(({ item }) => item)).toEqual([1, 2, 3]);
  for (const { release } of waiting) release();
  await settle();
  expect(waiting.map(({ item }) => item)).toEqual([1, 2, 3, 4]);
  waiting[3]?.release();
  expect(await all).toEqual(['did 1', 'did 2', 'did 3', 'did 4']);
});

test('fewer items than may run at a time are all worked on once', async () => {
  const begun: number[] = [];
  const results = await inParallel([1, 2], 10, async (item) => {
    begun.push(item);
    return item * 2;
  });
  expect([begun, results]).toEqual([
    [1, 2],
    [2, 4],
  ]);
  expect(await inParallel([], 3, async () => 1)).toEqual([]);
});

test('what one throws is thrown', async () => {
  const failing = inParallel([1, 2], 1, async (item) => {
    if (item === 2) throw new Error('two');
  });
  await expect(failing).rejects.toThrow('two');
});

test('after an error nothing more begins, and what is under way ends before it is thrown', async () => {
  const { waiting, work } = gated();
  let isOver = false;
  const failing = inParallel([1, 2, 3], 2, async (item) => {
    if (item === 1) throw new Error('one');
    return work(item);
  }).finally(() => {
    isOver = true;
  });
  const thrown = expect(failing).rejects.toThrow('one');
  await settle();
  expect(waiting.map(({ item }) => item)).toEqual([2]);
  expect(isOver).toBe(false);
  waiting[0]?.release();
  await thrown;
  expect(waiting.map(({ item }) => item)).toEqual([2]);
});
