import { expect, test } from 'vitest';
import { createRateLimiter } from '../../../lambdas/deliver/rate-limiter.ts';
import { intervalMs } from '../../../lambdas/domain/delivering/rate-limiter.ts';
import { useDatabase } from '../../support/dynamodb.ts';

const database = useDatabase();
const NOW = 1_800_000_000_000;
const asked = (i: number) => ({ nonce: `n${i}`, now: NOW, until: NOW + 90_000 });

test('workers that ask at once, within a rate limit, get turns an interval apart', async () => {
  const limiter = createRateLimiter(database().table);
  const gate = { pk: 'ENDPOINT', sk: 'paced' };
  const taken = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      limiter.acquire(gate, { ...asked(i), perSecond: 5, maxWaitMs: 1_100 }),
    ),
  );
  const times = taken.flatMap((turn) => (turn ? [turn.sendAt] : [])).sort((a, b) => a - b);
  // The maxWaitMs lasts for six of them.
  expect(times).toEqual(Array.from({ length: 6 }, (_, i) => NOW + i * intervalMs(5)));
});

test('workers that ask at once get no more turns than may be under way, and others when they are given back', async () => {
  const limiter = createRateLimiter(database().table);
  const gate = { pk: 'ENDPOINT', sk: 'crowded' };
  const ask = (i: number) => limiter.acquire(gate, { ...asked(i), atOnce: 3, maxWaitMs: 0 });
  const taken = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(i)));
  const winners = taken.flatMap((turn, i) => (turn ? [i] : []));
  expect(winners).toHaveLength(3);
  await Promise.all(winners.map((i) => limiter.release(gate, `n${i}`)));
  expect((await limiter.stateOf(gate)).busy).toEqual({});
  expect(await ask(10)).toBeDefined();
});
