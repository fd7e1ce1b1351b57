import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { newCopy } from '../../../lambdas/domain/copying/copy.ts';
import type { MetaRow } from '../../../lambdas/domain/requests/request.ts';
import { copyKey, eventKey, metaKey, outboxKey, requestKey } from '../../../lambdas/domain/rows.ts';
import { readRequestCounts } from '../../../lambdas/rows/request-counts.ts';
import { API_KEY } from '../../local/topaz/simulated-topaz.ts';
import { movingClock } from '../../support/claims.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { itemSize } from '../../support/item-size.ts';
import { settle } from '../../support/lagging-reads.ts';
import { expectHintsToNameRows } from '../../support/recorded-hints.ts';
import { pollWorld } from './poll-world.ts';

const database = useDatabase();
const world = (options?: Parameters<typeof pollWorld>[1]) => pollWorld(database(), options);

const WAY = [
  'requested',
  'accepted',
  'initializing',
  'preprocessing',
  'processing',
  'postprocessing',
  'complete',
];
/** A job that changes its status once a minute. */
const stepwise = WAY.map((status, minute) => [status, minute * 60] as const);

test('each transition on the way becomes one event, numbered in the order observed', async () => {
  const { clock, register, hints } = await world();
  const request = await register(stepwise);
  for (const status of WAY) {
    hints.clear();
    const { row, poll, outbox } = request;
    // The first poll of each minute sees the transition; whatever the schedule asks for in between sees none.
    await poll();
    expect(await row()).toMatchObject({
      status,
      sequence: WAY.indexOf(status) + 1,
      statusSince: clock.now(),
    });
    expect(await outbox()).toMatchObject({ lane: 'dispatch', dueAt: clock.now() });
    expect(hints.of('dispatch')).toEqual([{ ...keyOf(await outbox()), dueAt: clock.now() }]);
    clock.advance(60_000 - (clock.now() % 60_000));
    if (status !== 'complete') await request.update({ dueAt: clock.now() });
  }
  const events = await request.events();
  expect(events.map((event) => event.type)).toEqual(WAY.map((status) => `video.${status}`));
  expect(events.map((event) => event.data.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(events.map((event) => event.data.previousStatus)).toEqual([null, ...WAY.slice(0, -1)]);
  expect(new Set(events.map((event) => event.id)).size).toBe(7);
});

test('the counts of requests follow each change of status, up to the day that the request expires', async () => {
  const { clock, register, table } = await world();
  const counted = async (at = clock.now()) => {
    settle();
    return (await readRequestCounts(table, at)).filter(({ count }) => count !== 0);
  };
  const request = await register(
    [
      ['processing', 0],
      ['failed', 60],
    ],
    { counted: true },
  );
  await request.poll();
  // The world registers without counting, so the request leaves `registered` with one too few.
  expect(await counted()).toEqual(
    expect.arrayContaining([{ state: 'active', status: 'processing', count: 1 }]),
  );
  clock.advance(120_000);
  await request.update({ dueAt: clock.now() });
  await request.poll();
  expect(await counted()).toEqual([
    { state: 'active', status: 'registered', count: -1 },
    { state: 'done', status: 'failed', count: 1 },
  ]);
  const { expiresAt = 0 } = await request.row();
  expect(await counted(expiresAt * 1000)).toHaveLength(1);
});

test('while the clock moves at every read, every hint names the due time of its row', async () => {
  const { register, topaz, table, hints, pauses, clock } = await world({ clock: movingClock() });
  const request = await register(stepwise);
  for (let poll = 0; poll < 3; poll++) await request.poll();
  await expectHintsToNameRows(table, hints);
  await topaz.post('/_sim/faults', { faults: [{ at: 'status', kind: 'http', status: 429 }] });
  const refused = await register();
  await refused.poll();
  const held = await register();
  await held.poll();
  expect(pauses).toHaveLength(1);
  await topaz.post('/_sim/faults', { faults: [{ at: 'status', kind: 'http', status: 500 }] });
  await held.poll();
  await topaz.post('/_sim/faults', { faults: [] });
  clock.advance(60_000);
  const finished = await register([['complete', 0]]);
  await finished.poll();
  expect(hints.of('copy')).toHaveLength(1);
  await expectHintsToNameRows(table, hints);
});

test('the progress that polls see is kept beside the row, by one write for each change', async () => {
  const { register, topaz, table, writes } = await world();
  const request = await register([['processing', 0]]);
  const percentages = [10, 20, 20, 30];
  for (const percent of percentages) {
    const trace = { statuses: [['processing', 0]], progress: [[0, percent]] };
    await topaz.set({ requestId: request.requestId, trace });
    await request.poll();
  }
  const meta = await table.get<MetaRow>(metaKey(request.requestId));
  expect(meta?.progressSeries?.filter((_, i) => i % 2 === 1)).toEqual([10, 20, 30]);
  const toMeta = writes.flat().filter((write) => 'update' in write && write.update.sk === 'META');
  expect(toMeta).toHaveLength(3);
});

test('a transition is one transaction of the row, its event and the outbox', async () => {
  const { register, writes } = await world();
  const request = await register([['accepted', 0]]);
  await request.poll();
  const transaction = writes.find((write) => write.length > 1) ?? [];
  expect(transaction.map(keyIn)).toEqual([
    requestKey(request.requestId),
    eventKey({ kind: 'request', requestId: request.requestId }, 1),
    outboxKey({ kind: 'request', requestId: request.requestId }),
  ]);
});

test('a finished video starts the copy in the transaction of its last event', async () => {
  const { register, writes, hints } = await world();
  const request = await register([['complete', 0]]);
  await request.poll();
  const transaction = writes.find((write) => write.length > 1) ?? [];
  expect(transaction.map(keyIn)).toContainEqual(copyKey(request.requestId));
  const copy = await request.copy();
  expect(copy).toMatchObject({ lane: 'copy', state: 'pending', generation: 1, source: { version: 1 } });
  expect(copy?.source.url).toContain(`/download/${request.requestId}/`);
  expect(copy?.source.expiresAt).toBeGreaterThan(copy?.startedAt ?? 0);
  expect(hints.of('copy')).toEqual([{ ...copyKey(request.requestId), dueAt: copy?.dueAt }]);
  expect(await request.row()).not.toHaveProperty('lane');
  expect(await request.view()).toMatchObject({
    state: 'active',
    status: 'complete',
    video: { state: 'pending' },
  });
});

test.each(['failed', 'canceled'])(
  'a job that ends as %s is done, and its rows may expire',
  async (status) => {
    const { register, hints, table } = await world();
    const request = await register([[status, 0]]);
    await request.poll();
    expect(await request.view()).toMatchObject({ state: 'done', status, video: null, nextPollAt: null });
    expect(await request.row()).toMatchObject({ listKey: 'requests#done', expiresAt: expect.any(Number) });
    expect(await table.get(metaKey(request.requestId))).toHaveProperty('expiresAt');
    expect((await request.events())[0]?.expiresAt).toBeGreaterThan((await request.row()).expiresAt ?? 0);
    expect(hints.of('poll')).toEqual([]);
  },
);

test('a poll that finds no change is one write, and hints the next', async () => {
  const { register, writes, hints } = await world();
  const request = await register([['processing', 0]]);
  await request.poll();
  hints.clear();
  const before = writes.length;
  await request.poll();
  // Its claim, and its release.
  expect(writes.slice(before).map((write) => write.length)).toEqual([1, 1]);
  expect(hints.sent).toEqual([{ lane: 'poll', hint: await request.hint() }]);
  expect(await request.events()).toHaveLength(1);
});

test('the row that is polled stays under a kilobyte, however many nodes report their progress', async () => {
  const { register, topaz, table, clock } = await world();
  const request = await register([['processing', 0]], { tellProgress: true });
  const progress = Array.from({ length: 1_000 }, (_, n) => [n * 30, 0.09 * n]);
  const estimates = { cost: [10, 12], time: [6_000, 7_000] };
  const trace = {
    statuses: [
      ['accepted', 0],
      ['processing', 1],
    ],
    progress,
    estimates,
    nodes: 10,
  };
  await topaz.set({ requestId: request.requestId, trace });
  let largest = 0;
  for (let poll = 0; poll < 60; poll++) {
    await request.poll();
    const nonce = randomUUID();
    largest = Math.max(largest, itemSize({ ...(await request.row()), owner: nonce, releasedBy: nonce }));
  }
  const { observations, progress: reached } = await request.row();
  expect(observations).toHaveLength(8);
  expect(reached).toBeGreaterThan(10);
  expect(largest).toBeGreaterThan(700);
  expect(largest).toBeLessThanOrEqual(1_024);

  const { processingJobs } = await request.view();
  expect(processingJobs).toHaveLength(8);
  expect(processingJobs?.[0]).toMatchObject({ chunkIndex: 0, status: 'processing', progress: reached });
  // Erased meanwhile, it is not written anew.
  await table.write({ delete: metaKey(request.requestId) });
  clock.advance(3_600_000);
  await request.poll();
  expect((await request.row()).progress).toBeGreaterThan(reached ?? 100);
  expect(await table.get(metaKey(request.requestId))).toBeUndefined();
});

test('a copy that begins again while its fresh URL is polled is read again', async () => {
  const { register, startWorker, transact, table, clock } = await world();
  const request = await register([['complete', 0]]);
  await request.poll();
  await request.update({ lane: 'poll', dueAt: clock.now(), urlWanted: true });
  let restarted = false;
  const { invoke } = startWorker({
    transact: async (writes) => {
      if (!restarted) await table.write({ update: copyKey(request.requestId), set: { generation: 2 } });
      restarted = true;
      return transact(writes);
    },
  });
  await invoke([await request.hint()]);
  expect(await request.copy()).toMatchObject({ generation: 2, source: { version: 2 } });
  expect(await request.row()).not.toHaveProperty('urlWanted');
});

test('a poll whose row was taken from it meanwhile changes nothing', async () => {
  const { register, startWorker, transact, clock } = await world();
  const request = await register([['accepted', 0]]);
  const { invoke } = startWorker({
    transact: async (writes) => {
      await request.update({ dueAt: clock.now() + 1 });
      return transact(writes);
    },
  });
  await invoke([await request.hint()]);
  expect(await request.events()).toEqual([]);
  expect(await request.row()).toMatchObject({ status: 'registered', polls: 0, dueAt: clock.now() + 1 });
});

test('a commit whose answer was lost is recognized, and its rows are hinted', async () => {
  const { register, startWorker, transact, hints } = await world();
  const request = await register([['accepted', 0]]);
  const { invoke } = startWorker({
    transact: async (writes) => {
      await transact(writes);
      throw new ConditionFailed([0], new Map([[0, await request.row()]]));
    },
  });
  await invoke([await request.hint()]);
  expect(await request.events()).toHaveLength(1);
  expect(hints.of('dispatch')).toHaveLength(1);
  expect(hints.of('poll')).toEqual([await request.hint()]);
});

test('a worker that dies before its commit leaves the row to the sweep, and the transition becomes one event', async () => {
  const { register, startWorker, clock, worker } = await world();
  const request = await register([['accepted', 0]]);
  const { invoke } = startWorker({ transact: () => new Promise(() => {}) });
  void invoke([await request.hint()]);
  await expect.poll(async () => (await request.row()).owner).toBeDefined();
  const lease = await request.hint();
  clock.advance(lease.dueAt - clock.now() + 60_000);
  await worker.invoke([lease]);
  expect((await request.events()).map((event) => event.data.sequence)).toEqual([1]);
});

test('progress is sent to the endpoints that ask for it, without a number of its own', async () => {
  const { register, topaz, clock } = await world();
  const request = await register([['processing', 0]], { tellProgress: true });
  const trace = (percent: number) => ({ statuses: [['processing', 0]], progress: [[0, percent]] });
  for (const percent of [10, 20]) {
    await topaz.set({ requestId: request.requestId, trace: trace(percent) });
    await request.poll();
    clock.advance(10_000);
    await request.update({ dueAt: clock.now() });
  }
  const events = await request.events();
  expect(events.map(({ type, position }) => [type, position])).toEqual([
    ['video.processing', 1],
    ['progress.updated', 2],
  ]);
  expect(events.map((event) => event.data.sequence)).toEqual([1, 1]);
  expect(await request.row()).toMatchObject({ sequence: 1, position: 2 });
});

test('a copy that waits for a fresh URL gets one, and no other event is made', async () => {
  const { register, table, clock, hints } = await world();
  const request = await register([['complete', 0]]);
  await request.poll();
  const old = await request.copy();
  await table.write({
    update: copyKey(request.requestId),
    set: { state: 'copying', urlWantedSince: clock.now() },
  });
  clock.advance(5_000);
  await request.update({ lane: 'poll', dueAt: clock.now(), urlWanted: true });
  hints.clear();
  await request.poll();
  const renewed = await request.copy();
  expect(renewed?.source.version).toBe(2);
  expect(renewed?.source.url).not.toBe(old?.source.url);
  expect(renewed).toMatchObject({ state: 'copying', generation: 1, lane: 'copy', dueAt: clock.now() });
  expect(renewed).not.toHaveProperty('urlWantedSince');
  expect(hints.of('copy')).toHaveLength(1);
  const row = await request.row();
  expect(row).not.toHaveProperty('urlWanted');
  expect(row).not.toHaveProperty('lane');
  expect(await request.events()).toHaveLength(1);
});

test('a copy that waits for a URL learns that upstream has none any more', async () => {
  const { register, table, clock } = await world();
  const faults = [{ at: 'status', kind: 'noDownload' }];
  const request = await register([['complete', 0]], { status: 'complete', sequence: 1, position: 1 }, faults);
  const source = { url: 'https://store.example/old' };
  await table.write({
    put: {
      ...newCopy({ requestId: request.requestId, copyId: 'c' }, source, undefined, clock.now()),
      state: 'copying',
    },
  });
  await request.update({ urlWanted: true });
  while ((await request.row()).lane !== undefined) await request.poll();
  expect(await request.copy()).toMatchObject({ sourceGone: true, lane: 'copy' });
  expect(await request.row()).not.toHaveProperty('lane');
  expect(await request.events()).toEqual([]);
});

test('neither the key nor a signed URL gets into a log line or a row of the request', async () => {
  const { register, lines, topaz, pauses } = await world();
  const finished = await register([['complete', 0]]);
  await finished.poll();
  const troubled = await register([['processing', 0]], {}, [{ at: 'status', kind: 'reset' }]);
  await troubled.poll();
  await topaz.post('/_sim/key', { key: 'another' });
  await (await register()).poll();
  const url = (await finished.copy())?.source.url ?? '';
  expect(lines).toHaveLength(2);
  const shown = [
    JSON.stringify(pauses),
    ...lines,
    JSON.stringify([await finished.row(), await finished.events(), await finished.view()]),
  ];
  for (const text of shown) {
    expect(text).not.toContain(API_KEY);
    expect(text).not.toContain(url);
    expect(text).not.toContain('signature');
  }
});

const keyOf = (row: { pk: string; sk: string } | undefined) => ({ pk: row?.pk, sk: row?.sk });
const keyIn = (write: Record<string, unknown>) =>
  keyOf((write.put ?? write.update ?? write.delete ?? write.check) as { pk: string; sk: string });
