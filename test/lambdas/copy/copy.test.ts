import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { SAMPLE_DATA } from '../../../lambdas/domain/events/event-samples.ts';
import { LEASE_MS } from '../../../lambdas/domain/work.ts';
import { generatedSha256, generatedSlices } from '../../../local/topaz/video.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { type CopyWorld, PART, SIZE, startCopyWorld } from './copy-world.ts';
import { isComplete } from './faulty-proxy.ts';

const database = useDatabase();
let world: CopyWorld;
beforeEach(async () => {
  world = await startCopyWorld({ database: database() });
});
afterEach(() => world.stop());

test('a video of several segments is stored byte for byte, with one event', async () => {
  const size = 8 * PART + 12_345;
  const requestId = await world.begin(size);
  await world.runAll();

  const key = `videos/${requestId}/video.mp4`;
  expect(await world.sha256Of(key)).toBe(generatedSha256(requestId, size));
  const { ChecksumCRC32, ContentType, Metadata } = await world.head(key);
  expect({ ContentType, Metadata }).toEqual({
    ContentType: 'video/mp4',
    Metadata: { 'request-id': requestId, 'copy-id': (await world.copyOf(requestId)).copyId, generation: '1' },
  });
  const video = {
    bucket: 'videos',
    key,
    size,
    contentType: 'video/mp4',
    checksum: { algorithm: 'CRC32', value: ChecksumCRC32 },
  };
  const events = await world.eventsOf(requestId);
  expect(events.map(({ type, position, data }) => ({ type, position, data }))).toEqual([
    { type: 'video.stored', position: 5, data: { requestId, sequence: 4, status: 'complete', video } },
  ]);
  const { url, urlExpiresAt, ...sampled } = SAMPLE_DATA['video.stored'].video as Record<string, unknown>;
  expect(Object.keys(sampled)).toEqual(Object.keys(video));
  expect(sampled.checksum).toMatchObject({ algorithm: video.checksum.algorithm });
  const request = await world.requestOf(requestId);
  expect(request).toMatchObject({
    state: 'done',
    sequence: 4,
    position: 5,
    video: { state: 'stored', ...video },
  });
  expect(await world.copyOf(requestId)).toMatchObject({ state: 'stored', open: 0 });
  expect(await world.copyOf(requestId)).not.toHaveProperty('lane');
  expect(await world.segmentsOf(requestId)).toHaveLength(2);
  expect(await world.uploads()).toEqual([]);
  expect(world.hints.of('dispatch')).toHaveLength(1);
  expect(world.counted.BytesCopied).toBe(size);
});

test('a video smaller than one part is stored by one PutObject', async () => {
  const requestId = await world.begin(PART / 2 + 1);
  await world.runAll();
  const key = `videos/${requestId}/video.mp4`;
  expect(await world.sha256Of(key)).toBe(generatedSha256(requestId, PART / 2 + 1));
  expect(await world.requestOf(requestId)).toMatchObject({ state: 'done', video: { state: 'stored', key } });
  expect(await world.segmentsOf(requestId)).toEqual([]);
});

test.each([SIZE, PART / 2])('a file of %i bytes keeps a name in another script', async (size) => {
  const server = http.createServer((request, response) => {
    const [, from = 0, to = 0] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')?.map(Number) ?? [];
    const end = Math.min(to + 1, size);
    response.writeHead(206, {
      'content-range': `bytes ${from}-${end - 1}/${size}`,
      'content-length': end - from,
    });
    for (const slice of generatedSlices('named', from, end)) response.write(slice);
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const requestId = await world.begin(PART / 2, {
    url: `http://127.0.0.1:${port}/%D0%B2%D0%B8%D0%B4%D0%B5%D0%BE и 動画.mp4`,
  });
  await world.runAll();
  const key = `videos/${requestId}/видео-и-動画.mp4`;
  expect((await world.requestOf(requestId)).video).toMatchObject({ state: 'stored', key });
  expect(await world.sha256Of(key)).toBe(generatedSha256('named', size));
});

test('a worker that stood still while another one stored the video leaves it there', async () => {
  const requestId = await world.begin(SIZE);
  await world.step();
  await world.step();
  let completed = false;
  let stored: Promise<unknown> | undefined;
  world.setS3Faults(async (call) => {
    if (isComplete(call)) completed = true;
    else if (completed && !stored) {
      world.clock.advance(LEASE_MS + 1);
      stored = world.runAll();
      await stored;
    }
    return undefined;
  });
  await world.step();
  expect(stored).toBeDefined();
  expect(await world.copyOf(requestId)).toMatchObject({ state: 'stored' });
  expect(await world.objects()).toEqual([`videos/${requestId}/video.mp4`]);
  expect((await world.eventsOf(requestId)).map(({ type }) => type)).toEqual(['video.stored']);
});
