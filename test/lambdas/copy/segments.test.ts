import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createCopies } from '../../../lambdas/copy/copies.ts';
import { createSegments } from '../../../lambdas/copy/segments.ts';
import { createShownCopy } from '../../../lambdas/copy/shown-copy.ts';
import {
  type CopyRow,
  newCopy,
  renewedSource,
  type SegmentRow,
} from '../../../lambdas/domain/copying/copy.ts';
import type { RequestRow } from '../../../lambdas/domain/requests/request.ts';
import { copyKey, requestKey, segmentKey } from '../../../lambdas/domain/rows.ts';
import type { Claim } from '../../../lambdas/engine/claim-writes.ts';
import { wake } from '../../../lambdas/engine/wake.ts';
import { claimed, type TestClock, testClaims, testClock } from '../../support/claims.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { requestRow } from '../../support/rows.ts';

const database = useDatabase();
let clock: TestClock;
let requestId: string;
beforeEach(() => {
  clock = testClock();
  requestId = randomUUID();
});

function adapters() {
  const { table } = database();
  const claims = testClaims(table, clock);
  const given = { table, claims, now: clock.now, retentionDays: 30 };
  return {
    table,
    claims,
    copies: createCopies(given),
    segments: createSegments(given),
    shown: createShownCopy(given),
  };
}

/** A copy of 18 parts of 10 bytes in `count` segments, each claimed by a worker. */
async function plannedCopy(count: number) {
  const { table, claims, copies, segments, shown } = adapters();
  const row = newCopy(
    { requestId, copyId: 'c' },
    { url: 'https://source.example/v.mp4' },
    undefined,
    clock.now(),
  );
  await table.write({ put: requestRow({ requestId, status: 'complete', video: { state: 'pending' } }) });
  await table.write({ put: row });
  const claim = await claimed<CopyRow>(claims, 'copy', { ...copyKey(requestId), dueAt: clock.now() });
  const hints = await copies.commitPlan(claim, { id: 'u', size: 180, partSize: 10, segments: count });
  const held: Claim<SegmentRow>[] = [];
  for (const due of hints.slice(1)) held.push(await claimed<SegmentRow>(claims, 'copy', due));
  return { table, claims, copies, segments, shown, held };
}

const copyOf = async () => (await adapters().table.get<CopyRow>(copyKey(requestId))) as CopyRow;
const videoOf = async () => (await adapters().table.get<RequestRow>(requestKey(requestId)))?.video;

test('segments that end at the same moment are all counted, and the last one wakes the copy', async () => {
  const { segments, held } = await plannedCopy(6);
  const hints = await Promise.all(held.map((claim) => segments.finishSegment(claim, 30)));
  const due = hints.filter((each) => each !== undefined);
  expect(due).toEqual([{ ...copyKey(requestId), lane: 'copy', dueAt: clock.now() }]);
  expect(await copyOf()).toMatchObject({ open: 0, lane: 'copy', dueAt: clock.now() });
});

test('a segment is counted once, however often its end is committed', async () => {
  const { segments, held } = await plannedCopy(3);
  await segments.finishSegment(held[0]!, 60);
  await segments.finishSegment(held[0]!, 60);
  expect(await copyOf()).toMatchObject({ open: 2 });
});

test('a segment of an older generation counts for nothing', async () => {
  const { copies, segments, held, table } = await plannedCopy(2);
  await copies.restart(held[1]!, await copyOf(), { reason: 'other bytes', streamed: false });
  await segments.finishSegment(held[0]!, 90);
  expect(await table.get<SegmentRow>(held[0]!.row)).toMatchObject({ state: 'superseded' });
  expect(await copyOf()).toMatchObject({ generation: 2, state: 'pending' });
});

test.each(['restart', 'fail'] as const)(
  'a worker that has lost its segment can not %s the copy',
  async (order) => {
    const { copies, held, table } = await plannedCopy(2);
    const reason = 'the upload vanished';
    await table.write({ update: held[0]!.row, set: { owner: 'another' } });
    const before = await copyOf();
    const ordered =
      order === 'fail'
        ? copies.fail(held[0]!, before, reason)
        : copies.restart(held[0]!, before, { reason, streamed: false });
    await expect(ordered).rejects.toThrow(/condition/);
    expect(await copyOf()).toEqual(before);
  },
);

test('progress is shown as the sum of all segments, at most every 5 s, by whichever worker', async () => {
  const { segments, shown, held } = await plannedCopy(2);
  const copy = await copyOf();
  expect(await videoOf()).toMatchObject({ state: 'copying', size: 180, copiedBytes: 0 });
  await segments.progress(held[0]!, { copiedBytes: 40, bytesPerSecond: 8 });
  await segments.progress(held[1]!, { copiedBytes: 20, bytesPerSecond: 4 });
  clock.advance(4_999);
  await shown.showSegments(copy);
  expect(await videoOf()).toMatchObject({ copiedBytes: 0 });
  clock.advance(1);
  await shown.showSegments(copy);
  expect(await videoOf()).toMatchObject({ copiedBytes: 60, bytesPerSecond: 12 });
  await segments.progress(held[1]!, { copiedBytes: 30, bytesPerSecond: 4 });
  await shown.showSegments(copy);
  expect(await videoOf()).toMatchObject({ copiedBytes: 60 });
});

test('more bytes are progress: earlier claims without any no longer count', async () => {
  const { segments, held, table } = await plannedCopy(1);
  await segments.progress(held[0]!, { copiedBytes: 0, bytesPerSecond: 0 });
  expect(await table.get<SegmentRow>(held[0]!.row)).toMatchObject({ claims: 1 });
  await segments.progress(held[0]!, { copiedBytes: 10, bytesPerSecond: 1 });
  expect(await table.get<SegmentRow>(held[0]!.row)).not.toHaveProperty('claims');
});

test('a plan replaces segments that an earlier copy of the request left, and counts none of theirs', async () => {
  const { table } = adapters();
  const left = { requestId, generation: 1, state: 'copied', copiedBytes: 1_000, bytesPerSecond: 0 };
  for (const segment of [0, 5]) {
    await table.write({ put: { ...segmentKey(requestId, 1, segment), ...left, segment, expiresAt: 1 } });
  }
  const { shown, held } = await plannedCopy(2);
  expect(held[0]!.row).toMatchObject({ segment: 0, state: 'open', firstPart: 1 });
  clock.advance(5_000);
  await shown.showSegments(await copyOf());
  expect(await videoOf()).toMatchObject({ copiedBytes: 0 });
});

test('why a copy waits is shown until bytes come again', async () => {
  const { segments, shown, held } = await plannedCopy(1);
  await shown.showFailure(requestId, 'the source answered 503');
  expect(await videoOf()).toMatchObject({
    state: 'copying',
    lastError: { at: clock.now(), reason: 'the source answered 503' },
  });
  await segments.progress(held[0]!, { copiedBytes: 10, bytesPerSecond: 1 });
  clock.advance(5_000);
  await shown.showSegments(await copyOf());
  expect(await videoOf()).not.toHaveProperty('lastError');
});

test('progress of a stored video is not shown any more', async () => {
  const { shown, table } = await plannedCopy(1);
  await table.write({ update: requestKey(requestId), set: { 'video.state': 'stored' } });
  clock.advance(60_000);
  await shown.showSegments(await copyOf());
  expect(await videoOf()).toMatchObject({ state: 'stored', copiedBytes: 0 });
});

test.each([
  ['done', 'stored'],
  ['stopped', 'failed'],
] as const)(
  'a worker that was frozen as its stream began shows nothing of it when the request is %s',
  async (state, end) => {
    const { shown, table } = await plannedCopy(1);
    const video = { state: end, size: 180, key: 'v.mp4' };
    await table.write({ update: requestKey(requestId), set: { state, video } });
    await shown.showBeginning(requestId, 180);
    expect(await videoOf()).toEqual(video);
  },
);

test('a fresh URL is asked for once, however many workers want one', async () => {
  const { copies } = await plannedCopy(3);
  const copy = await copyOf();
  const at = clock.now() + 60_000;
  const until = clock.now() + 86_400_000;
  const asked = await Promise.all(
    [1, 2, 3].map(() => copies.askForUrl(copy, { at, consecutiveFailures: 1 })),
  );
  expect(asked.flat()).toEqual([
    { ...copyKey(requestId), lane: 'copy', dueAt: until },
    { ...requestKey(requestId), lane: 'poll', dueAt: at },
  ]);
  expect(await copyOf()).toMatchObject({
    urlWantedSince: clock.now(),
    dueAt: until,
    consecutiveFailures: 1,
  });
});

test('a worker that does not know yet that the copy has failed asks for no URL, which would delay its end', async () => {
  const { copies, held } = await plannedCopy(2);
  const before = await copyOf();
  await copies.fail(held[0]!, before, 'the source serves the video compressed (gzip) only');
  const failed = await copyOf();
  expect(await copies.askForUrl(before, { at: clock.now() })).toEqual([]);
  expect(await copyOf()).toEqual(failed);
  expect(failed).toMatchObject({ lane: 'copy', failure: expect.any(String) });
});

test('a fresh URL is a new version, and wakes the copy', async () => {
  const { copies, table } = await plannedCopy(1);
  await copies.askForUrl(await copyOf(), { at: clock.now() });
  const copy = await copyOf();
  const renewed = renewedSource(copy, { url: 'https://source.example/2' }, clock.now());
  const { write } = wake(copy, 'copy', clock.now(), renewed);
  await table.write(write);
  expect(await copyOf()).toMatchObject({
    source: { url: 'https://source.example/2', version: 2 },
    dueAt: clock.now(),
  });
  expect(await copyOf()).not.toHaveProperty('urlWantedSince');
  // The same answer, told twice, changes nothing.
  await expect(table.write(write)).rejects.toThrow(/condition/);
});

test.each([
  { state: 'stored' },
  { state: 'copying', canceled: true },
  { state: 'copying', failure: 'x' },
] as const)('a copy that is %o takes no fresh URL', (changes) => {
  const row = newCopy({ requestId, copyId: 'c' }, { url: 'https://source.example/v.mp4' }, undefined, 0);
  expect(renewedSource({ ...row, ...changes }, { url: 'https://source.example/2' }, 1)).toBeUndefined();
});

test('the numbers of events go on from where another writer left them', async () => {
  const { claims, table, segments, held } = await plannedCopy(1);
  const due = await segments.finishSegment(held[0]!, 180);
  const claim = await claimed<CopyRow>(claims, 'copy', due!);
  const get = table.get.bind(table);
  let raced = false;
  // Between the reading and the writing the poll stage numbers two events.
  const racing = createCopies({
    table: {
      ...table,
      get: async <T extends { pk: string; sk: string }>(key: { pk: string; sk: string }) => {
        const row = await get<T>(key);
        if (!raced && key.sk === 'REQUEST') {
          raced = true;
          await table.write({ update: requestKey(requestId), set: { sequence: 7, position: 9 } });
        }
        return row;
      },
    },
    claims,
    now: clock.now,
    retentionDays: 30,
  });
  const event = { type: 'video.store_failed', data: { reason: 'x' } } as const;
  await racing.end(claim, { state: 'failed', video: { state: 'failed' }, event });
  expect(await table.get(requestKey(requestId))).toMatchObject({ sequence: 8, position: 10, state: 'done' });
});
