import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTracking } from '../../../lambdas/api/requests/tracking.ts';
import { generatedSha256 } from '../../../local/topaz/video.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { BUCKET, type CopyWorld, SIZE, startCopyWorld } from './copy-world.ts';

const database = useDatabase();
let world: CopyWorld;
let requestId: string;
let key: string;
beforeEach(async () => {
  world = await startCopyWorld({ database: database() });
  requestId = await world.begin(SIZE);
  await world.runAll();
  key = `videos/${requestId}/video.mp4`;
});
afterEach(() => world.stop());

const videosTold = async () => (await world.eventsOf(requestId)).map(({ data }) => data.video);

test('the video of a request that is restarted is kept when the source still serves the same', async () => {
  for (let run = 2; run <= 3; run++) {
    await world.restart(requestId);
    await world.runAll();
    const told = await videosTold();
    expect(told).toHaveLength(run);
    for (const video of told) expect(video).toEqual(told[0]);
  }
  expect(world.counted.BytesCopied).toBe(SIZE);
  expect(await world.objects()).toEqual([key]);
  expect(await world.requestOf(requestId)).toMatchObject({ state: 'done', video: { state: 'stored', key } });
});

test('another video is stored beside it, and its event says where the earlier one is', async () => {
  await world.sim('faults', { faults: [{ at: 'download', kind: 'changed' }] });
  await world.restart(requestId);
  await world.runAll();
  const second = `videos/${requestId}/video-2.mp4`;
  expect((await videosTold())[1]).toMatchObject({ key: second, previous: { bucket: BUCKET, key } });
  expect((await world.requestOf(requestId)).video).toMatchObject({ previous: { bucket: BUCKET, key } });
  expect(await world.sha256Of(key)).toBe(generatedSha256(requestId, SIZE));
  expect(await world.sha256Of(second)).toBe(generatedSha256(`${requestId}/changed`, SIZE));
});

test('a video that was deleted meanwhile is copied again', async () => {
  await world.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
  await world.restart(requestId);
  await world.runAll();
  expect(await world.sha256Of(key)).toBe(generatedSha256(requestId, SIZE));
});

test('canceling the copy of a restarted request leaves the earlier video, also for the next restart', async () => {
  await world.restart(requestId);
  const { table, clock } = world;
  await createTracking({ table, now: clock.now, retentionDays: 30 }).stop(requestId, { purge: false });
  await world.runAll();
  expect(await world.objects()).toEqual([key]);
  await world.restart(requestId);
  await world.runAll();
  expect(world.counted.BytesCopied).toBe(SIZE);
  expect(await world.objects()).toEqual([key]);
});
