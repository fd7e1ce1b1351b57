import { expect, test } from 'vitest';
import { createTurns } from '../../../lambdas/deliver/rate-limiter.ts';
import { intervalMs } from '../../../lambdas/domain/delivering/rate-limiter.ts';
import { useDatabase } from '../../support/dynamodb.ts';

const database = useDatabase();
const NOW = 1_800_000_000_000;
const wish = (i: number) => ({ nonce: `n${i}`, now: NOW, until: NOW + 90_000 });

test('workers that ask at once, within a rate limit, get turns an interval apart', async () => {
  const turns = createTurns(database().table);
  const gate = { pk: 'ENDPOINT', sk: 'paced' };
  const taken = await Promise.all(
    Array.from({ length: 10 }, (_, i) => turns.take(gate, { ...wish(i), perSecond: 5, patience: 1_100 })),
  );
  const times = taken.flatMap((turn) => (turn ? [turn.sendAt] : [])).sort((a, b) => a - b);
  // The patience lasts for six of them.
  expect(times).toEqual(Array.from({ length: 6 }, (_, i) => NOW + i * intervalMs(5)));
});

test('workers that ask at once get no more turns than may be under way, and others when they are given back', async () => {
  const turns = createTurns(database().table);
  const gate = { pk: 'ENDPOINT', sk: 'crowded' };
  const ask = (i: number) => turns.take(gate, { ...wish(i), atOnce: 3, patience: 0 });
  const taken = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(i)));
  const winners = taken.flatMap((turn, i) => (turn ? [i] : []));
  expect(winners).toHaveLength(3);
  await Promise.all(winners.map((i) => turns.giveBack(gate, `n${i}`)));
  expect((await turns.of(gate)).busy).toEqual({});
  expect(await ask(10)).toBeDefined();
});
