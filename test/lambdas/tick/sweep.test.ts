import { expect, test } from 'vitest';
import { type Hint, LANES, type Lane } from '../../../lambdas/domain/work.ts';
import { createHints } from '../../../lambdas/engine/hints.ts';
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
  await hints.send(due.map((hint) => ({ ...hint, lane: 'poll' as const })));
  await queue.purge();
  clock.advance(MINUTE);
  await sweep();
  expect((await queue.drain()).flat().sort((a, b) => a.dueAt - b.dueAt)).toEqual(due);
  await stop();
});

test('ten minutes of stopped workers add no messages', async () => {
  const { clock, hints, sweep, due, messages, stop } = await setUp(25);
  clock.advance(MINUTE);
  await hints.send(due.map((hint) => ({ ...hint, lane: 'poll' as const })));
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

test('a queue that is busy with rows just due hides no row whose message was lost', async () => {
  const { clock, table, hints, sweep, due, queue, stop } = await setUp(60);
  const [lost, ...live] = due;
  clock.advance(MINUTE);
  // The others have just become due, and their messages wait to be taken.
  const justDue = live.map((hint) => ({ ...hint, dueAt: clock.now() - 1_000 }));
  for (const row of justDue) await table.write({ put: { ...row, lane: 'poll' } });
  await hints.send(justDue.map((hint) => ({ ...hint, lane: 'poll' as const })));
  await sweep();
  const hinted = (await queue.drain()).flat();
  expect(hinted).toHaveLength(60);
  expect(hinted).toContainEqual(lost);
  await stop();
});

test('a queue that is never empty hides no row for long whose message was lost', async () => {
  const { clock, table, hints, sweep, due, queue, stop } = await setUp(60);
  const [lost, ...live] = due;
  clock.advance(MINUTE);
  await hints.send(live.map((hint) => ({ ...hint, lane: 'poll' as const })));
  clock.advance(13 * MINUTE);
  const [early] = await sweep();
  expect(early).toMatchObject({ silent: true, hinted: 0 });
  // The workers get as far as what has become due since, and the queue is as full as before.
  await queue.drain();
  const later = live.map((hint) => ({ ...hint, dueAt: clock.now() }));
  for (const row of later) await table.write({ put: { ...row, lane: 'poll' } });
  await hints.send(later.map((hint) => ({ ...hint, lane: 'poll' as const })));
  clock.advance(2 * MINUTE);
  const [late] = await sweep();
  expect(late).toMatchObject({ silent: true, hinted: 1 });
  expect((await queue.drain()).flat()).toContainEqual(lost);
  await stop();
});

test('workers that are hours behind are reminded of a hundred rows a tick at most', async () => {
  const { clock, hints, sweep, due, stop } = await setUp(250);
  clock.advance(MINUTE);
  await hints.send(due.map((hint) => ({ ...hint, lane: 'poll' as const })));
  clock.advance(120 * MINUTE);
  const [poll] = await sweep();
  expect(poll).toMatchObject({ silent: true, overdue: 250, hinted: 100 });
  await stop();
});

test('rows beyond the first megabyte of an answer are found too', async () => {
  const { clock, table, sweep, queue, stop } = await setUp(0);
  for (let n = 0; n < 700; n++) {
    await table.write({
      put: { pk: `ROW#${n}`.padEnd(1_800), sk: 'ROW', lane: 'poll', dueAt: clock.now() + n },
    });
  }
  clock.advance(MINUTE);
  await sweep();
  expect(await queue.drain()).toHaveLength(700);
  await stop();
});

test('many overdue rows are read in steps and hinted in packed messages', async () => {
  const { clock, sweep, queue, stop } = await setUp(2_500);
  clock.advance(MINUTE);
  const [poll] = await sweep();
  expect(poll).toMatchObject({ lane: 'poll', overdue: 2_500, hinted: 2_500 });
  const messages = await queue.drain();
  expect(messages).toHaveLength(1_250);
  expect(new Set(messages.flat().map(({ pk }) => pk)).size).toBe(2_500);
  await stop();
});

test('one endpoint’s many overdue deliveries leave another’s their turn', async () => {
  const { clock, table, stop } = await setUp(0);
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
  await stop();
});
