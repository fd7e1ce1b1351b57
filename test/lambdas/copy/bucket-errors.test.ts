import { crc32 } from 'node:zlib';
import { AbortMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wholeCrc } from '../../../lambdas/copy/complete-copy.ts';
import { createUploads } from '../../../lambdas/copy/uploads/uploads.ts';
import type { CopyRow } from '../../../lambdas/domain/copying/copy.ts';
import { crc32ToBase64 } from '../../../lambdas/domain/copying/crc32.ts';
import { objectKey } from '../../../lambdas/domain/rows.ts';
import { generatedSha256 } from '../../../local/topaz/video.ts';
import { mortal } from '../../faults/mortal-worker.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { BUCKET, type CopyWorld, PART, SIZE, startCopyWorld } from './copy-world.ts';
import { firstTimes, isBegin, isComplete, isHead, isList, isPart, isPut } from './faulty-proxy.ts';

const database = useDatabase();
let world: CopyWorld;
beforeEach(async () => {
  world = await startCopyWorld({ database: database() });
});
afterEach(() => world.stop());

const SMALL = PART / 2;
const FIVE_MINUTES = 300_000;
const keyOf = (requestId: string) => `videos/${requestId}/video.mp4`;

async function expectStored(requestId: string, key = keyOf(requestId), size = SIZE): Promise<void> {
  expect(await world.requestOf(requestId)).toMatchObject({
    state: 'done',
    video: { state: 'stored', size, key },
  });
  expect(await world.sha256Of(key)).toBe(generatedSha256(requestId, size));
  expect((await world.eventsOf(requestId)).map(({ type }) => type)).toEqual(['video.stored']);
  expect(await world.uploads()).toEqual([]);
  expect(await world.table.get(objectKey(BUCKET, key))).toBeUndefined();
}

/** An object of another writer. */
async function putForeign(key: string): Promise<void> {
  await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: 'not ours' }));
}

/** What the completer asks of the bucket. */
async function complete({ target, upload }: CopyRow): Promise<void> {
  const uploads = createUploads(world.s3);
  const place = { ...target!, uploadId: upload!.id };
  const parts = await uploads.parts(place, 1, 5);
  await uploads.complete(place, parts, { crc: wholeCrc(parts), size: upload!.size });
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

  test('refused for hours ends the copy without litter', { timeout: 120_000 }, async () => {
    world.setS3Faults(
      firstTimes(Number.POSITIVE_INFINITY, isPart, { kind: 'refuse', status: 503, code: 'SlowDown' }),
    );
    const requestId = await world.begin(PART + 1);
    await world.runAll();
    expect(await world.eventsOf(requestId)).toMatchObject([
      {
        type: 'video.store_failed',
        data: { reason: 'the bucket answered SlowDown, after 25 failures in a row' },
      },
    ]);
    expect(await world.uploads()).toEqual([]);
    expect(await world.objects()).toEqual([]);
  });

  test('that is denied is tried again for five minutes, then left to a person', async () => {
    world.setS3Faults(
      firstTimes(Number.POSITIVE_INFINITY, isPart, { kind: 'refuse', status: 403, code: 'AccessDenied' }),
    );
    const begunAt = world.clock.now();
    const requestId = await world.begin(SIZE);
    await world.runAll();
    expect(world.clock.now() - begunAt).toBeGreaterThanOrEqual(FIVE_MINUTES);
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
  test('that was aborted from outside is begun again', async () => {
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

  test('that a worker begins when another has stored the video is aborted', async () => {
    const requestId = await world.begin(SIZE);
    const row = await world.copyOf(requestId);
    let others: Promise<void> | undefined;
    world.setS3Faults(async (call) => {
      if (!isBegin(call) || others) return undefined;
      others = world.table
        .write({ update: row, set: { dueAt: world.clock.now() + 1 }, remove: ['owner'] })
        .then(() => world.runAll());
      await others;
      return undefined;
    });
    await world.step();
    await expectStored(requestId);
  });

  test('aborted before its completion is begun again', async () => {
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
])('the denial of %s is borne for five minutes, then left to a person', async (_name, matches, size) => {
  world.setS3Faults(
    firstTimes(Number.POSITIVE_INFINITY, matches, { kind: 'refuse', status: 403, code: 'AccessDenied' }),
  );
  const begunAt = world.clock.now();
  const requestId = await world.begin(size);
  await world.runAll();
  expect(world.clock.now() - begunAt).toBeGreaterThanOrEqual(FIVE_MINUTES);
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

test('a copy that has failed keeps its reason, however long the bucket cannot be cleaned up', async () => {
  // The SDK asks three times for each of more failures than a copy survives.
  world.setS3Faults(firstTimes(90, isList, { kind: 'refuse', status: 503, code: 'SlowDown' }));
  const requestId = await world.begin(SIZE);
  const dueAt = world.clock.now();
  const failure = 'Topaz no longer offers a download';
  const target = { bucket: BUCKET, key: keyOf(requestId) };
  await world.table.write({ update: await world.copyOf(requestId), set: { failure, target, dueAt } });
  await world.runAll();
  expect(await world.eventsOf(requestId)).toMatchObject([
    { type: 'video.store_failed', data: { reason: failure } },
  ]);
});

test('a denial of the first minutes, as after a deployment, is shown and leaves no trace', async () => {
  const times = 4;
  world.setS3Faults(firstTimes(times, isBegin, { kind: 'refuse', status: 403, code: 'AccessDenied' }));
  const requestId = await world.begin(SIZE);
  await world.step();
  expect((await world.requestOf(requestId)).video?.lastError?.reason).toMatch(/AccessDenied/);
  await world.runAll();
  await expectStored(requestId);
  expect((await world.requestOf(requestId)).video).not.toHaveProperty('lastError');
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

  test('that meets another write of the key, so that S3 drops the upload, begins the copy again', async () => {
    let conflicts = 0;
    world.setS3Faults(async (call) => {
      if (!isComplete(call) || conflicts > 0) return undefined;
      conflicts++;
      const [upload] = await world.uploads();
      const place = { Bucket: BUCKET, Key: upload?.Key, UploadId: upload?.UploadId };
      await world.s3.send(new AbortMultipartUploadCommand(place));
      return { kind: 'refuse', status: 409, code: 'ConditionalRequestConflict' };
    });
    const requestId = await world.begin(SIZE);
    await world.runAll();
    await expectStored(requestId);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 2 });
  });

  test('of a small file that meets another write of the key is tried again', async () => {
    const conflict = { kind: 'refuse', status: 409, code: 'ConditionalRequestConflict' } as const;
    world.setS3Faults(firstTimes(2, isPut, conflict));
    const requestId = await world.begin(SMALL);
    await world.runAll();
    await expectStored(requestId, undefined, SMALL);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 1 });
  });

  test('whose answer was lost is recognized by its object', async () => {
    world.setS3Faults(firstTimes(10, isComplete, { kind: 'lost' }));
    const requestId = await world.begin(SIZE);
    await world.runAll();
    await expectStored(requestId);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 1 });
  });

  test('of a small file whose answer was lost is recognized by its object', async () => {
    world.setS3Faults(firstTimes(10, isPut, { kind: 'lost' }));
    const requestId = await world.begin(SMALL);
    await world.runAll();
    await expectStored(requestId, undefined, SMALL);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 1 });
  });

  test('whose worker died before the event is reported by the next one', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    await world.step();
    const row = await world.copyOf(requestId);
    await complete(row);
    await world.runAll();
    await expectStored(requestId);
  });

  test('seen by a worker that has lost its segment does not begin the copy again', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    const [segment] = await world.due();
    let others: Promise<void> | undefined;
    // While the first part is on its way, another worker ends the segment and the completer completes.
    world.setS3Faults(async (call) => {
      if (!isPart(call) || others) return undefined;
      others = world.table
        .write({ update: segment!, set: { dueAt: segment!.dueAt + 1 }, remove: ['owner'] })
        .then(() => world.newWorker()({ ...segment!, dueAt: segment!.dueAt + 1 }))
        .then(async () => complete(await world.copyOf(requestId)));
      await others;
      return undefined;
    });
    await world.newWorker()(segment!);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 1, open: 0 });
    await world.runAll();
    await expectStored(requestId);
  });

  test('is left to another by a worker that has lost the copy, and so are its uploads', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    await world.step();
    const [completion] = await world.due();
    const seen: string[] = [];
    world.setS3Faults(async (call) => {
      seen.push(call.method);
      await world.table.write({ update: completion!, set: { owner: 'another' } });
      return undefined;
    });
    await world.newWorker()(completion!);
    expect(seen).toEqual(['GET']);
    world.setS3Faults(() => undefined);
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

  /** A copy whose first worker died when it had begun an upload, at a key that it would not choose now. */
  async function begunElsewhere(): Promise<{ requestId: string; key: string }> {
    const requestId = await world.begin(SIZE);
    const key = `videos/${requestId}/earlier-name.mp4`;
    const row = await world.copyOf(requestId);
    await world.table.write({ update: row, set: { target: { bucket: BUCKET, key } } });
    await world.table.write({ put: { ...objectKey(BUCKET, key), requestId } });
    await createUploads(world.s3).begin({ bucket: BUCKET, key }, row, 'video/mp4');
    return { requestId, key };
  }

  test('by the copy itself is kept, though another would be chosen now', async () => {
    const { requestId, key } = await begunElsewhere();
    await world.runAll();
    await expectStored(requestId, key);
  });

  test('by the copy itself keeps its upload from a worker that has lost the copy', async () => {
    const { requestId } = await begunElsewhere();
    const [uploads, row, [begin]] = [await world.uploads(), await world.copyOf(requestId), await world.due()];
    const worker = world.newWorker({
      ...mortal(undefined),
      call: async (effect) => {
        const answer = await effect();
        await world.table.write({ update: row, set: { owner: 'another' } });
        return answer;
      },
    });
    await worker(begin!);
    expect(await world.uploads()).toEqual(uploads);
  });

  test('now, though the copy had it before, is left without an upload or a reservation', async () => {
    const { requestId, key } = await begunElsewhere();
    await putForeign(key);
    await world.runAll();
    await expectStored(requestId);
    expect(await world.table.get(objectKey(BUCKET, key))).toBeUndefined();
  });

  test('while the copy was under way is not overwritten', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    await putForeign(keyOf(requestId));
    await world.runAll();
    await expectStored(requestId, `videos/${requestId}/video-2.mp4`);
    expect((await world.head(keyOf(requestId))).ContentLength).toBe('not ours'.length);
  });

  test('by the same request, before it was erased and registered again, is not overwritten', async () => {
    const requestId = await world.begin(SIZE);
    await world.runAll();
    await world.beginAgain(requestId);
    await world.runAll();
    expect(await world.requestOf(requestId)).toMatchObject({
      video: { state: 'stored', key: `videos/${requestId}/video-2.mp4` },
    });
  });

  test('by other bytes that an earlier generation stored is not taken for the video, but replaced', async () => {
    const requestId = await world.begin(SIZE);
    await world.step();
    const { copyId, generation } = await world.copyOf(requestId);
    const Metadata = { 'copy-id': copyId, generation: String(generation) };
    const Body = Buffer.alloc(SIZE);
    const ChecksumCRC32 = crc32ToBase64(crc32(Body));
    const object = { Bucket: BUCKET, Key: keyOf(requestId), Body, Metadata, ChecksumCRC32 };
    await world.s3.send(new PutObjectCommand(object));
    await world.runAll();
    await expectStored(requestId);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 2 });
    expect(await world.objects()).toEqual([keyOf(requestId)]);
  });
});
