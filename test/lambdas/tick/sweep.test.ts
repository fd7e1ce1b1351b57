import { expect, test } from 'vitest';
import { createHints } from '../../../lambdas/adapters/hints.ts';
import { type Hint, LANES, type Lane } from '../../../lambdas/domain/work.ts';
import { createSweep } from '../../../lambdas/tick/sweep.ts';
import { testClaims, testClock } from '../../support/claims.ts';
import { startDatabase } from '../../support/dynamodb.ts';
import { useQueues } from '../../support/queue.ts';

const newQueue = useQueues();
const MINUTE = 60_000;

/** A table of its own with due rows in one lane, and that lane's real queue. */
async function setUp(rows: number) {
  const database = await startDatabase();
  const { table } = database;
  const clock = testClock();
  const queue = await newQueue();
  const hints = createHints({
    client: queue.client,
    queueUrls: Object.fromEntries(LANES.map((lane) => [lane, queue.url])) as Record<Lane, string>,
    now: clock.now,
    onLost: (_lane, _count, error) => {
      throw error;
    },
  });
  const sweep = createSweep({ table, hints, visibleMessages: queue.visible, now: clock.now });
  const due: Hint[] = Array.from({ length: rows }, (_, n) => ({
    pk: `ROW#${n}`,
    sk: 'ROW',
    dueAt: clock.now() + n,
  }));
  for (const hint of due) await table.write({ put: { ...hint, lane: 'poll' } });
  const messages = async () => (await queue.visible()) + (await queue.delayed());
  return { ...database, clock, queue, hints, sweep, due, messages };
}

test('a purged queue is refilled by the next tick, oldest rows first', async () => {
  const { clock, queue, hints, sweep, due, stop } = await setUp(25);
  await hints.send('poll', due);
  await queue.purge();
  clock.advance(MINUTE);
  await sweep();
  expect((await queue.drain()).flat().sort((a, b) => a.dueAt - b.dueAt)).toEqual(due);
  await stop();
});

test('ten minutes of stopped workers add no messages', async () => {
  const { clock, hints, sweep, due, messages, stop } = await setUp(25);
  clock.advance(MINUTE);
  await hints.send('poll', due);
  for (let minute = 0; minute < 10; minute++) {
    clock.advance(MINUTE);
    await sweep();
  }
  expect(await messages()).toBe(25);
  await stop();
});

test('a queue purged while its workers are stopped is refilled once, and no message is added after', async () => {
  const { clock, queue, sweep, messages, stop } = await setUp(250);
  clock.advance(MINUTE);
  await sweep();
  const refilled = await messages();
  for (let minute = 0; minute < 10; minute++) {
    clock.advance(MINUTE);
    await sweep();
  }
  expect(await messages()).toBe(refilled);
  expect((await queue.drain()).flat()).toHaveLength(250);
  await stop();
});

test('a row that is not yet overdue, parked or claimed is left alone', async () => {
  const { clock, table, sweep, due, queue, stop } = await setUp(1);
  await table.write({ put: { pk: 'ROW#parked', sk: 'ROW', lane: 'parked', dueAt: 0 } });
  clock.advance(4_000);
  await sweep();
  await testClaims(table, clock).claim('poll', due[0] as Hint);
  clock.advance(MINUTE);
  await sweep();
  expect(await queue.drain()).toEqual([]);
  await stop();
});

test('a claimed row whose worker died is found when its lease has run out', async () => {
  const { clock, table, sweep, due, queue, stop } = await setUp(1);
  await testClaims(table, clock).claim('poll', due[0] as Hint);
  clock.advance(2 * MINUTE);
  await sweep();
  expect((await queue.drain()).flat()).toMatchObject([{ pk: 'ROW#0' }]);
  await stop();
});
