import { expect, test } from 'vitest';
import { useDatabase } from '../../support/dynamodb.ts';
import { pollWorld } from './poll-world.ts';

const database = useDatabase();
const MINUTE = 60_000;
const DAY = 86_400_000;

/** A request whose job answers this way from its second poll on, after one good answer. */
async function setUp(fault: Record<string, unknown>, status = 'processing') {
  const silent = fault.kind === 'hang' || fault.kind === 'drip';
  const world = await pollWorld(database(), { timeoutMs: silent ? 1_000 : 10_000 });
  const faults = [{ at: 'status', skip: 1, ...fault }];
  const request = await world.register([[status, 0]], {}, faults);
  await request.poll();
  world.hints.clear();
  return { ...world, request };
}

test.each([
  ['a server error', { kind: 'http', status: 500 }, 'Topaz answered 500'],
  ['a redirect', { kind: 'http', status: 302 }, 'Topaz answered 302'],
  ['no answer', { kind: 'hang' }, 'Topaz did not answer in time'],
  ['a connection reset', { kind: 'reset' }, 'the connection to Topaz failed (ECONNRESET)'],
  ['an answer that drips', { kind: 'drip', bytesPerSecond: 20 }, 'Topaz did not answer in time'],
  ['a page of HTML', { kind: 'notJson' }, 'the answer is not JSON'],
  ['wrong types', { kind: 'wrongTypes' }, 'the answer names no status'],
  ['an endless answer', { kind: 'huge' }, 'the answer is larger than 1048576 bytes'],
])(
  '%s is a fault of the poll: the request stays as it was and is asked about again',
  async (_, fault, reason) => {
    const { request, clock, lines, pause, hints } = await setUp(fault);
    const before = await request.view();
    await request.poll();
    expect(await request.view()).toEqual({
      ...before,
      polls: 2,
      lastError: { at: new Date(clock.now()).toISOString(), reason },
      lastPolledAt: new Date(clock.now()).toISOString(),
      nextPollAt: new Date(clock.now() + 5_000).toISOString(),
    });
    expect(await request.row()).toMatchObject({ faults: 1 });
    expect(await request.row()).not.toHaveProperty('claims');
    expect(await request.events()).toHaveLength(1);
    expect(hints.sent).toEqual([{ lane: 'poll', hint: await request.hint() }]);
    expect(lines.at(-1)).toContain(`"outcome":"fault","reason":"${reason}"`);
    expect(await pause()).toBeUndefined();
  },
);

test('faults in a row are met with ever longer waits, which one answer ends', async () => {
  const { request, clock } = await setUp({ kind: 'notJson', times: 8 });
  const waits = [];
  for (let poll = 0; poll < 8; poll++) {
    await request.poll();
    waits.push(((await request.row()).dueAt ?? 0) - clock.now());
  }
  expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300].map((seconds) => seconds * 1000));
  expect(await request.view()).toHaveProperty('lastError.reason', 'the answer is not JSON');
  await request.poll();
  expect(await request.row()).not.toHaveProperty('faults');
  expect(await request.row()).not.toHaveProperty('lastError');
});

test('a short 404 changes nothing', async () => {
  const { request, clock } = await setUp({ kind: 'http', status: 404, times: 2 });
  await request.poll();
  expect(await request.row()).toMatchObject({ status: 'processing', notFoundSince: clock.now() });
  expect(await request.view()).toMatchObject({
    state: 'active',
    status: 'processing',
    lastError: { reason: 'Topaz does not know the request (404)' },
  });
  await request.poll();
  await request.poll();
  expect(await request.row()).not.toHaveProperty('notFoundSince');
  expect(await request.row()).not.toHaveProperty('lastError');
  expect(await request.events()).toHaveLength(1);
});

test('a 404 that persists for ten minutes ends the request as lost', async () => {
  const { request, clock } = await setUp({ kind: 'http', status: 404 });
  await request.poll();
  const since = clock.now();
  while ((await request.row()).state === 'active') await request.poll();
  expect(clock.now() - since).toBe(10 * MINUTE);
  expect(await request.view()).toMatchObject({
    state: 'done',
    status: 'lost',
    nextPollAt: null,
    video: { state: 'failed', error: 'Topaz does not know the request' },
  });
  expect((await request.events())[1]).toMatchObject({
    type: 'video.lost',
    data: { sequence: 2, previousStatus: 'processing', reason: 'Topaz does not know the request' },
  });
});

test('a request that upstream never knew is lost in the same way', async () => {
  const { register } = await pollWorld(database());
  const request = await register([['processing', 0]], {}, [{ at: 'status', kind: 'http', status: 404 }]);
  while ((await request.row()).state === 'active') await request.poll();
  expect(await request.view()).toMatchObject({ state: 'done', status: 'lost', sequence: 1 });
});

test.each([
  ['pending', undefined],
  ['unanswered', { at: 'status', kind: 'http', status: 500 }],
])('a request that stays %s for longer than upstream keeps data is lost', async (_, fault) => {
  const { register, clock } = await pollWorld(database());
  const request = await register([['processing', 0]], {}, fault && [fault]);
  await request.poll();
  clock.advance(8 * DAY + 1);
  await request.poll();
  expect(await request.view()).toMatchObject({ state: 'done', status: 'lost', nextPollAt: null });
  const event = (await request.events()).at(-1);
  expect(event).toMatchObject({
    type: 'video.lost',
    data: { reason: 'pending for longer than Topaz keeps data' },
  });
});

test.each([
  ['paused', { retryAfter: 600 }],
  ['refused', {}],
])('a request that was pending for too long is lost also while polling is %s', async (_, more) => {
  const { register, topaz, clock, counted, sent, worker } = await pollWorld(database());
  const request = await register();
  const other = await register();
  clock.advance(8 * DAY + 1);
  await topaz.post('/_sim/faults', { faults: [{ at: 'status', kind: 'http', status: 429, ...more }] });
  const fresh = await register();
  if ('retryAfter' in more) await fresh.poll();
  await worker.invoke([await request.hint(), await other.hint()]);
  expect(await request.view()).toMatchObject({ state: 'done', status: 'lost', nextPollAt: null });
  expect(await request.events()).toMatchObject([{ type: 'video.lost' }]);
  expect(sent.length).toBeGreaterThan(0);
  expect(counted.VideosMissing).toBe(2);
  expect(await fresh.view()).toMatchObject({ state: 'active' });
});

test('a finished job whose download is asked for too late is not lost, but unavailable', async () => {
  const { request, clock } = await setUp({ kind: 'http', status: 500, skip: 1 }, 'complete');
  await request.update({ lane: 'poll', dueAt: clock.now() });
  clock.advance(8 * DAY + 1);
  await request.poll();
  expect(await request.view()).toMatchObject({ state: 'done', status: 'complete' });
  expect((await request.events()).map(({ type }) => type)).toEqual(['video.complete', 'video.unavailable']);
});

test('how long a request may stay pending is a setting', async () => {
  const { register, clock } = await pollWorld(database(), { pendingDays: 2 });
  const request = await register();
  await request.poll();
  clock.advance(2 * DAY + 1);
  await request.poll();
  expect(await request.view()).toMatchObject({ status: 'lost' });
});

test('an unknown status is kept, sent once, and polling goes on', async () => {
  const { request, topaz } = await setUp({ kind: 'unknownStatus', status: 'paused', times: 2 });
  await request.poll();
  expect(await request.view()).toMatchObject({
    state: 'active',
    status: 'paused',
    nextPollAt: expect.any(String),
  });
  await request.poll();
  await request.poll();
  await topaz.post('/_sim/faults', { faults: [{ at: 'status', kind: 'unknownStatus', status: 'paused' }] });
  await request.poll();
  expect(await request.view()).toMatchObject({ state: 'active', status: 'paused' });
  const told = (await request.events()).map(({ type, data }) => [type, data.status, data.previousStatus]);
  expect(told).toEqual([
    ['video.processing', 'processing', null],
    ['video.status_unrecognized', 'paused', 'processing'],
    ['video.processing', 'processing', 'paused'],
  ]);
});

test('a status that goes backwards was observed too, and the way is gone on from there', async () => {
  const { register, clock } = await pollWorld(database());
  const faults = [{ at: 'status', kind: 'backwards', skip: 1, times: 1 }];
  const job = [
    ['accepted', 0],
    ['processing', 1],
  ] as const;
  const request = await register(job, {}, faults);
  clock.advance(1_000);
  for (let poll = 0; poll < 3; poll++) await request.poll();
  const events = (await request.events()).map(({ type, data }) => [type, data.sequence]);
  expect(events).toEqual([
    ['video.processing', 1],
    ['video.accepted', 2],
    ['video.processing', 3],
  ]);
});

test('an answer that goes backwards from the end changes nothing', async () => {
  const { register, topaz } = await pollWorld(database());
  const request = await register([['complete', 0]], {}, [{ at: 'status', kind: 'noDownload', times: 1 }]);
  await request.poll();
  await topaz.set({ requestId: request.requestId, trace: { statuses: [['processing', 0]] } });
  await request.poll();
  expect(await request.view()).toMatchObject({ status: 'complete', sequence: 1 });
  await topaz.set({ requestId: request.requestId, trace: { statuses: [['complete', 0]] } });
  await request.poll();
  expect(await request.view()).toMatchObject({
    status: 'complete',
    sequence: 1,
    video: { state: 'pending' },
  });
});

test('a finished job without a download is asked about again, and copied when the download comes', async () => {
  const { request } = await setUp({ kind: 'noDownload', skip: 0, times: 3 }, 'complete');
  expect(await request.view()).toMatchObject({ state: 'active', status: 'complete', video: null });
  expect(await request.row()).toMatchObject({ downloadMissing: 1, lane: 'poll' });
  for (let poll = 0; poll < 3; poll++) await request.poll();
  expect(await request.view()).toMatchObject({ video: { state: 'pending' } });
  expect(await request.copy()).toMatchObject({ state: 'pending' });
  expect((await request.events()).map((event) => event.type)).toEqual(['video.complete']);
});

test('polls by hand do not use up the hour that a download is waited for', async () => {
  const { request, clock } = await setUp({ kind: 'noDownload', skip: 0, times: 16 }, 'complete');
  for (let poll = 0; poll < 15; poll++) {
    await request.update({ lane: 'poll', dueAt: clock.now() });
    await request.poll();
  }
  expect(await request.view()).toMatchObject({ state: 'active', status: 'complete', video: null });
  await request.poll();
  expect(await request.view()).toMatchObject({ video: { state: 'pending' } });
});

test('a finished job that never gives a download ends, and says so', async () => {
  const { request, clock, sent, counted } = await setUp({ kind: 'noDownload', skip: 0 }, 'complete');
  const completeAt = clock.now();
  while ((await request.row()).state === 'active') await request.poll();
  expect(clock.now() - completeAt).toBeGreaterThanOrEqual(3_600_000);
  expect(sent.length).toBeLessThan(20);
  expect((await request.events()).map((event) => event.type)).toEqual([
    'video.complete',
    'video.unavailable',
  ]);
  expect(counted.VideosMissing).toBe(1);
  expect(await request.view()).toMatchObject({
    state: 'done',
    status: 'complete',
    video: { state: 'failed' },
  });
  expect(await request.copy()).toBeUndefined();
});

test('a poll without an answer is counted as one, with how late it began', async () => {
  const fault = { at: 'status', kind: 'http', status: 500 };
  const { register, clock, counted } = await pollWorld(database());
  const request = await register([['processing', 0]], {}, [fault]);
  clock.advance(3_000);
  await request.poll();
  expect(counted).toEqual({ Polls: 1, PollFaults: 1, PollLateness: expect.any(Number) });
});
