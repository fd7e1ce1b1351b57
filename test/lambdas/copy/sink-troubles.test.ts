import { AbortMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generatedSha256 } from '../../../local/topaz/video.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { BUCKET, type CopyWorld, MIB, startCopyWorld } from './copy-world.ts';
import { firstTimes, isBegin, isComplete, isHead, isPart, isPut } from './faulty-proxy.ts';

const database = useDatabase();
let world: CopyWorld;
beforeEach(async () => {
  world = await startCopyWorld({ database: database() });
});
afterEach(() => world.stop());

const SIZE = 36 * MIB + 7;
const SMALL = 2 * MIB;
const keyOf = (requestId: string) => `videos/${requestId}/video.mp4`;

async function expectStored(requestId: string, key = keyOf(requestId), size = SIZE): Promise<void> {
  expect(await world.requestOf(requestId)).toMatchObject({
    state: 'done',
    video: { state: 'stored', size, key },
  });
  expect(await world.sha256Of(key)).toBe(generatedSha256(requestId, size));
  expect((await world.eventsOf(requestId)).map(({ type }) => type)).toEqual(['video.stored']);
  expect(await world.uploads()).toEqual([]);
}

/** Somebody else's object. */
async function putForeign(key: string): Promise<void> {
  await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: 'not ours' }));
}

/** Calls that begin an upload. */
function countBegins(): { begins: number } {
  const seen = { begins: 0 };
  world.setS3Faults((call) => {
    if (isBegin(call)) seen.begins++;
    return undefined;
  });
  return seen;
}

describe('a part', () => {
  test.each([
    ['SlowDown', { kind: 'refuse', status: 503, code: 'SlowDown' }],
    ['an error after it took effect', { kind: 'after', status: 500, code: 'InternalError' }],
    ['a checksum that S3 does not confirm', { kind: 'refuse', status: 400, code: 'BadDigest' }],
    ['no answer, though it took effect', { kind: 'lost' }],
  ] as const)('that meets %s is sent again', async (_name, fault) => {
    world.setS3Faults(firstTimes(3, isPart, fault));
    const requestId = await world.begin(SIZE);
    await world.runAll();
    await expectStored(requestId);
    expect(world.counted.BytesCopied).toBe(SIZE);
  });

  test('refused for hours ends the copy without litter', async () => {
    world.setS3Faults(
      firstTimes(Number.POSITIVE_INFINITY, isPart, { kind: 'refuse', status: 503, code: 'SlowDown' }),
    );
    const requestId = await world.begin(SIZE);
    await world.runAll();
    expect(await world.eventsOf(requestId)).toMatchObject([
      { type: 'video.store_failed', data: { reason: 'the bucket answered SlowDown' } },
    ]);
    expect(await world.uploads()).toEqual([]);
    expect(await world.objects()).toEqual([]);
  });

  test('that is denied parks the segment at once, for a person to release', async () => {
    world.setS3Faults(
      firstTimes(Number.POSITIVE_INFINITY, isPart, { kind: 'refuse', status: 403, code: 'AccessDenied' }),
    );
    const requestId = await world.begin(SIZE);
    await world.runAll();
    const [segment] = await world.segmentsOf(requestId);
    expect(segment).toMatchObject({
      lane: 'parked',
      parked: { reason: expect.stringMatching(/AccessDenied.*bucket/) },
    });
    expect(await world.eventsOf(requestId)).toEqual([]);

    world.setS3Faults(() => undefined);
    await world.table.write({
      update: segment!,
      set: { lane: 'copy', dueAt: world.clock.now() },
      remove: ['parked'],
    });
    await world.runAll();
    await expectStored(requestId);
  });
});

describe('an upload', () => {
  test('that somebody aborted is begun anew', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    const [upload] = await world.uploads();
    await world.s3.send(
      new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: upload?.Key, UploadId: upload?.UploadId }),
    );
    await world.runAll();
    await expectStored(requestId);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 2 });
  });

  test('whose beginning was not heard of is aborted', async () => {
    world.setS3Faults(firstTimes(3, isBegin, { kind: 'lost' }));
    const requestId = await world.begin(SIZE);
    await world.runAll();
    await expectStored(requestId);
  });

  test('aborted before its completion is begun anew', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    await world.step();
    const [upload] = await world.uploads();
    await world.s3.send(
      new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: upload?.Key, UploadId: upload?.UploadId }),
    );
    await world.runAll();
    await expectStored(requestId);
  });
});

test.each([
  ['the beginning', isBegin, 'KeyTooLongError'],
  ['a part', isPart, 'InvalidArgument'],
  ['the completion', isComplete, 'EntityTooLarge'],
])('what can never work at %s ends the copy at its first refusal', async (_name, matches, code) => {
  world.setS3Faults(firstTimes(Number.POSITIVE_INFINITY, matches, { kind: 'refuse', status: 400, code }));
  const begunAt = world.clock.now();
  const requestId = await world.begin(SIZE);
  await world.runAll();
  expect(await world.eventsOf(requestId)).toMatchObject([
    { type: 'video.store_failed', data: { reason: `the bucket answered ${code}` } },
  ]);
  expect(world.clock.now()).toBe(begunAt);
  expect(await world.uploads()).toEqual([]);
});

test.each([
  ['a look at the key, whose refusal has no body', isHead, SIZE],
  ['the beginning of an upload', isBegin, SIZE],
  ['the completion', isComplete, SIZE],
  ['a small file', isPut, SMALL],
])('the denial of %s parks the copy at once, for a person to release', async (_name, matches, size) => {
  world.setS3Faults(
    firstTimes(Number.POSITIVE_INFINITY, matches, { kind: 'refuse', status: 403, code: 'AccessDenied' }),
  );
  const requestId = await world.begin(size);
  await world.runAll();
  const copy = await world.copyOf(requestId);
  expect(copy).toMatchObject({ lane: 'parked', parked: { reason: expect.stringMatching(/bucket/) } });
  expect(await world.eventsOf(requestId)).toEqual([]);

  world.setS3Faults(() => undefined);
  await world.table.write({
    update: copy,
    set: { lane: 'copy', dueAt: world.clock.now() },
    remove: ['parked'],
  });
  await world.runAll();
  await expectStored(requestId, undefined, size);
});

describe('the completion', () => {
  const failing = (status: number, code: string, times = 1) =>
    firstTimes(times, isComplete, { kind: 'refuse', status, code });

  test.each([
    ['200 with an error in its body', 200, 'InternalError', 10],
    ['SlowDown', 503, 'SlowDown', 10],
    ['InvalidPart, a late worker having replaced one', 400, 'InvalidPart', 2],
  ])('answered by %s is tried again', async (_name, status, code, times) => {
    world.setS3Faults(failing(status, code, times));
    const requestId = await world.begin(SIZE);
    await world.runAll();
    await expectStored(requestId);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 1 });
  });

  test('whose answer was lost is recognised by its object', async () => {
    world.setS3Faults(firstTimes(10, isComplete, { kind: 'lost' }));
    const requestId = await world.begin(SIZE);
    await world.runAll();
    await expectStored(requestId);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 1 });
  });

  test('of a small file whose answer was lost is recognised by its object', async () => {
    world.setS3Faults(firstTimes(10, isPut, { kind: 'lost' }));
    const requestId = await world.begin(SMALL);
    await world.runAll();
    await expectStored(requestId, undefined, SMALL);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 1 });
  });

  test('whose worker died before it could tell is told by the next one', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    await world.step();
    const row = await world.copyOf(requestId);
    const { id } = row.upload!;
    const { createUploads } = await import('../../../lambdas/adapters/uploads/uploads.ts');
    const { wholeCrc } = await import('../../../lambdas/copy/complete-copy.ts');
    const uploads = createUploads(world.s3);
    const place = { ...row.target!, uploadId: id };
    const parts = await uploads.parts(place, 1, 5);
    await uploads.complete(place, parts, { crc: wholeCrc(parts), size: SIZE });
    await world.runAll();
    await expectStored(requestId);
  });

  test('is done once when two workers are woken for it', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    await world.step();
    const [completion] = await world.due();
    let completions = 0;
    world.setS3Faults((call) => {
      if (isComplete(call)) completions++;
      return undefined;
    });
    await Promise.all([1, 2, 3].map(() => world.newWorker()(completion!)));
    await expectStored(requestId);
    expect(completions).toBe(1);
  });
});

describe('a key that is taken', () => {
  test('by an object is left alone: the copy takes another before it uploads', async () => {
    const requestId = await world.begin(SIZE);
    await putForeign(keyOf(requestId));
    const seen = countBegins();
    await world.runAll();
    await expectStored(requestId, `videos/${requestId}/video-2.mp4`);
    expect(seen.begins).toBe(1);
    expect((await world.head(keyOf(requestId))).ContentLength).toBe('not ours'.length);
  });

  test('by a reservation is left alone', async () => {
    const requestId = await world.begin(SIZE);
    const reservation = { pk: `KEY#${BUCKET}/${keyOf(requestId)}`, sk: 'KEY', requestId: 'another' };
    await world.table.write({ put: reservation });
    await world.runAll();
    await expectStored(requestId, `videos/${requestId}/video-2.mp4`);
  });

  test('while the copy was under way is not overwritten', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    await putForeign(keyOf(requestId));
    await world.runAll();
    await expectStored(requestId, `videos/${requestId}/video-2.mp4`);
    expect((await world.head(keyOf(requestId))).ContentLength).toBe('not ours'.length);
  });
});
