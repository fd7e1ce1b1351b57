import { expect, test } from 'vitest';
import type { Write } from '../../../lambdas/adapters/dynamodb/expression.ts';
import { createTable, type Table } from '../../../lambdas/adapters/dynamodb/table.ts';
import { MAX_WRITES } from '../../../lambdas/adapters/dynamodb/writes.ts';
import { type Due, type Hint, LANES, type Lane } from '../../../lambdas/domain/work.ts';
import { createHints } from '../../../lambdas/engine/hints.ts';
import { createSweep } from '../../../lambdas/tick/sweep.ts';
import { testClaims, testClock } from '../../support/claims.ts';
import { newTable, useDatabase } from '../../support/dynamodb.ts';
import { settle } from '../../support/lagging-reads.ts';
import { useQueues } from '../../support/queue.ts';

const database = useDatabase();
const newQueue = useQueues();
const MINUTE = 60_000;

/** A table of its own with due rows in one lane, and that lane's real queue. */
async function setUp(rows: number) {
  const { client } = database();
  const table = createTable(client, await newTable(client));
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
  await writeAll(table, due);
  const messages = async () => (await queue.visible()) + (await queue.delayed());
  return { table, clock, queue, hints, sweep, due, messages };
}

const inPoll = (hint: Hint): Due => ({ ...hint, lane: 'poll' });

/** Writes rows that are due in the lane `poll`. */
async function writeAll(table: Table, rows: readonly Hint[]): Promise<void> {
  for (let at = 0; at < rows.length; at += MAX_WRITES) {
    await table.transact(rows.slice(at, at + MAX_WRITES).map((row): Write => ({ put: inPoll(row) })));
  }
}

test('a purged queue is refilled by the next tick, oldest rows first', async () => {
  const { clock, queue, hints, sweep, due } = await setUp(25);
  await hints.send(due.map(inPoll));
  await queue.purge();
  clock.advance(MINUTE);
  await sweep();
  expect((await queue.drain()).flat().sort((a, b) => a.dueAt - b.dueAt)).toEqual(due);
});

test('ten minutes of stopped workers add no messages', async () => {
  const { clock, hints, sweep, due, messages } = await setUp(25);
  clock.advance(MINUTE);
  await hints.send(due.map(inPoll));
  for (let minute = 0; minute < 10; minute++) {
    clock.advance(MINUTE);
    await sweep();
  }
  expect(await messages()).toBe(25);
});

test('a queue purged while its workers are stopped is refilled once, and no message is added after', async () => {
  const { clock, queue, sweep, messages } = await setUp(250);
  clock.advance(MINUTE);
  await sweep();
  const refilled = await messages();
  for (let minute = 0; minute < 10; minute++) {
    clock.advance(MINUTE);
    await sweep();
  }
  expect(await messages()).toBe(refilled);
  expect((await queue.drain()).flat()).toHaveLength(250);
});

test('a row that is not yet overdue, parked or claimed is left alone', async () => {
  const { clock, table, sweep, due, queue } = await setUp(1);
  await table.write({ put: { pk: 'ROW#parked', sk: 'ROW', lane: 'parked', dueAt: 0 } });
  clock.advance(4_000);
  await sweep();
  await testClaims(table, clock).claim('poll', due[0] as Hint);
  clock.advance(MINUTE);
  await sweep();
  expect(await queue.drain()).toEqual([]);
});

test('a claimed row whose worker died is found when its lease has run out', async () => {
  const { clock, table, sweep, due, queue } = await setUp(1);
  await testClaims(table, clock).claim('poll', due[0] as Hint);
  clock.advance(2 * MINUTE);
  await sweep();
  expect((await queue.drain()).flat()).toMatchObject([{ pk: 'ROW#0' }]);
});

test('a queue that is busy with rows just due hides no row whose message was lost', async () => {
  const { clock, table, hints, sweep, due, queue } = await setUp(60);
  const [lost, ...live] = due;
  clock.advance(MINUTE);
  // The others have just become due, and their messages wait to be taken.
  const justDue = live.map((hint) => ({ ...hint, dueAt: clock.now() - 1_000 }));
  await writeAll(table, justDue);
  await hints.send(justDue.map(inPoll));
  settle();
  await sweep();
  const hinted = (await queue.drain()).flat();
  expect(hinted).toHaveLength(60);
  expect(hinted).toContainEqual(lost);
});

test('a queue that is never empty hides no row for long whose message was lost', async () => {
  const { clock, table, hints, sweep, due, queue } = await setUp(60);
  const [lost, ...live] = due;
  clock.advance(MINUTE);
  await hints.send(live.map(inPoll));
  clock.advance(13 * MINUTE);
  const [early] = await sweep();
  expect(early).toMatchObject({ workersBehind: true, hinted: 0 });
  // The workers get as far as what has become due since, and the queue is as full as before.
  await queue.drain();
  const later = live.map((hint) => ({ ...hint, dueAt: clock.now() }));
  await writeAll(table, later);
  await hints.send(later.map(inPoll));
  clock.advance(2 * MINUTE);
  const [late] = await sweep();
  expect(late).toMatchObject({ workersBehind: true, hinted: 1 });
  expect((await queue.drain()).flat()).toContainEqual(lost);
});

test('workers that are hours behind are reminded of a hundred rows a tick at most', async () => {
  const { clock, hints, sweep, due } = await setUp(250);
  clock.advance(MINUTE);
  await hints.send(due.map(inPoll));
  clock.advance(120 * MINUTE);
  const [poll] = await sweep();
  expect(poll).toMatchObject({ workersBehind: true, overdue: 250, hinted: 100 });
});

test('rows beyond the first megabyte of an answer are found too', async () => {
  const { clock, table, sweep, queue } = await setUp(0);
  const dueAt = clock.now();
  const rows = Array.from({ length: 700 }, (_, n) => ({
    pk: `ROW#${n}`.padEnd(1_800),
    sk: 'ROW',
    dueAt: dueAt + n,
  }));
  await writeAll(table, rows);
  clock.advance(MINUTE);
  await sweep();
  expect(await queue.drain()).toHaveLength(700);
});

test('many overdue rows are read in steps and hinted in packed messages', async () => {
  const { clock, sweep, queue } = await setUp(2_500);
  clock.advance(MINUTE);
  const [poll] = await sweep();
  expect(poll).toMatchObject({ lane: 'poll', overdue: 2_500, hinted: 2_500 });
  const messages = await queue.drain();
  expect(messages).toHaveLength(1_250);
  expect(new Set(messages.flat().map(({ pk }) => pk)).size).toBe(2_500);
});

test('one endpoint’s many overdue deliveries leave another’s their turn', async () => {
  const { clock, table } = await setUp(0);
  const rows = [
    ...Array.from({ length: 30 }, (_, n) => ({ pk: 'DEL#loud', sk: `EVENT#${n}`, dueAt: clock.now() + n })),
    { pk: 'DEL#quiet', sk: 'EVENT#0', dueAt: clock.now() + 100 },
  ];
  for (const row of rows) await table.write({ put: { ...row, lane: 'deliver' } });
  clock.advance(MINUTE);
  const groups: (string | undefined)[] = [];
  const sweep = createSweep({
    table,
    hints: { sendPacked: async (_lane, messages) => void groups.push(...messages.map(({ group }) => group)) },
    visibleMessages: async () => 0,
    now: clock.now,
  });
  await sweep();
  expect(groups.slice(0, 2)).toEqual(['DEL#loud', 'DEL#quiet']);
  expect(groups).toHaveLength(31);
});

test('a lane that cannot be swept keeps no other lane from its hints, and its error is thrown', async () => {
  const { table, clock, queue, hints, due, messages } = await setUp(3);
  clock.advance(MINUTE);
  const broken = {
    ...table,
    due: async (lane: string, upTo: number, most: number) => {
      if (lane === 'copy') throw new Error('the lane copy is broken');
      await new Promise(setImmediate);
      return table.due(lane, upTo, most);
    },
  };
  const sweep = createSweep({ table: broken, hints, visibleMessages: queue.visible, now: clock.now });
  await expect(sweep()).rejects.toThrow('the lane copy is broken');
  expect(await messages()).toBe(due.length);
});
