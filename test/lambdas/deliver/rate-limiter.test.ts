import { expect, test } from 'vitest';
import { createRateLimiter } from '../../../lambdas/deliver/rate-limiter.ts';
import { intervalMs } from '../../../lambdas/domain/rate-interval.ts';
import { useDatabase } from '../../support/dynamodb.ts';

const database = useDatabase();
const NOW = 1_800_000_000_000;
const request = (i: number, maxWaitMs = 0) => ({ nonce: `n${i}`, now: NOW, maxWaitMs });

test('workers that ask at once, within a rate limit, get slots an interval apart', async () => {
  const limiter = createRateLimiter(database().table);
  const limits = [{ key: { pk: 'LIMITER', sk: 'rate' }, perSecond: 5 }];
  const granted = await Promise.all(
    Array.from({ length: 10 }, (_, i) => limiter.acquire(limits, request(i, 1_100))),
  );
  const times = granted.flatMap((at) => at ?? []).sort((a, b) => a - b);
  // The longest wait is enough for six of them.
  expect(times).toEqual(Array.from({ length: 6 }, (_, i) => NOW + i * intervalMs(5)));
});

test('workers that ask at once get no more slots than may be under way, and others when they are released', async () => {
  const limiter = createRateLimiter(database().table);
  const limits = [{ key: { pk: 'LIMITER', sk: 'slots' }, atOnce: 3 }];
  const granted = await Promise.all(
    Array.from({ length: 10 }, (_, i) => limiter.acquire(limits, request(i))),
  );
  const holders = granted.flatMap((at, i) => (at === undefined ? [] : [i]));
  expect(holders).toHaveLength(3);
  await Promise.all(holders.map((i) => limiter.release(limits, `n${i}`)));
  expect((await limiter.stateOf(limits[0]!.key)).busy).toEqual({});
  expect(await limiter.acquire(limits, request(10))).toBe(NOW);
});

test('a worker that one of several limits refuses holds no slot of the others', async () => {
  const limiter = createRateLimiter(database().table);
  const wide = { key: { pk: 'LIMITER', sk: 'wide' }, atOnce: 10 };
  const narrow = { key: { pk: 'LIMITER', sk: 'narrow' }, atOnce: 1 };
  expect(await limiter.acquire([wide, narrow], request(1))).toBe(NOW);
  expect(await limiter.acquire([wide, narrow], request(2))).toBeUndefined();
  expect(Object.keys((await limiter.stateOf(wide.key)).busy)).toEqual(['n1']);
});

test.each(['refused', 'lost'])(
  'a worker whose call for the second of two slots is %s holds none, and learns of that error',
  async (how) => {
    const { table } = database();
    const first = { key: { pk: 'LIMITER', sk: `first, ${how}` }, atOnce: 10 };
    const second = { key: { pk: 'LIMITER', sk: `second, ${how}` }, atOnce: 10 };
    let writes = 0;
    const limiter = createRateLimiter({
      ...table,
      write: async (change) => {
        if (++writes !== 2) return table.write(change);
        if (how === 'lost') await table.write(change);
        throw new Error('throttled');
      },
    });
    await expect(limiter.acquire([first, second], request(1))).rejects.toThrow('throttled');
    for (const { key } of [first, second]) expect((await limiter.stateOf(key)).busy).toEqual({});
  },
);

test('an error of the release does not replace the one that stopped the worker', async () => {
  const { table } = database();
  const limits = ['one', 'two'].map((sk) => ({ key: { pk: 'LIMITER', sk }, atOnce: 10 }));
  let writes = 0;
  const limiter = createRateLimiter({
    ...table,
    write: async (change) => {
      if (++writes === 1) return table.write(change);
      throw new Error(writes === 2 ? 'the first' : 'a later one');
    },
  });
  await expect(limiter.acquire(limits, request(1))).rejects.toThrow('the first');
});

test('a slot whose answer is lost is found again, and no second one is taken', async () => {
  const { table } = database();
  let lost = 0;
  const limiter = createRateLimiter({
    ...table,
    write: async (change) => {
      await table.write(change);
      lost++;
      // Again, as the SDK does when there was no answer.
      return table.write(change);
    },
  });
  const limit = { key: { pk: 'LIMITER', sk: 'lost' }, atOnce: 3, perSecond: 1 };
  expect(await limiter.acquire([limit], request(1))).toBe(NOW);
  expect(lost).toBe(1);
  const state = await limiter.stateOf(limit.key);
  expect(state.nextAt).toBe(NOW + intervalMs(1));
  expect(Object.keys(state.busy)).toEqual(['n1']);
});
