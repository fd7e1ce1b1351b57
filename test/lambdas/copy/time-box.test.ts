import { afterEach, beforeEach, expect, test } from 'vitest';
import { generatedSha256 } from '../../../local/topaz/video.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { type CopyWorld, SIZE, startCopyWorld } from './copy-world.ts';
import { isPart } from './faulty-proxy.ts';

const database = useDatabase();
let world: CopyWorld;
beforeEach(async () => {
  world = await startCopyWorld({ database: database() });
});
afterEach(() => world.stop());

test('a worker near its end begins no part, and another goes on with what is missing', async () => {
  const requestId = await world.begin(SIZE);
  await world.step();
  const [segment] = await world.due();
  // Each part takes half a minute of a worker that has one and a half.
  world.setS3Faults((call) => {
    if (isPart(call)) world.clock.advance(30_000);
    return undefined;
  });
  await world.newWorker()(segment!, 95_000);
  const copied = world.counted.BytesCopied ?? 0;
  expect(copied).toBeGreaterThan(0);
  expect(copied).toBeLessThan(SIZE);
  expect(await world.segmentsOf(requestId)).toMatchObject([{ state: 'open', copiedBytes: copied }]);

  world.setS3Faults(() => undefined);
  await world.runAll();
  expect(world.counted.BytesCopied).toBe(SIZE);
  expect(await world.sha256Of(`videos/${requestId}/video.mp4`)).toBe(generatedSha256(requestId, SIZE));
});

test('a copy of which no worker finishes a part in its time fails in the end', async () => {
  const requestId = await world.begin(SIZE);
  await world.step();
  for (let stints = 0; (await world.requestOf(requestId)).state === 'active'; stints++) {
    expect(stints).toBeLessThan(50);
    const [next] = await world.due();
    world.clock.advance(Math.max(0, next!.dueAt - world.clock.now()));
    await world.newWorker()(next!, 15_000);
  }
  expect(await world.eventsOf(requestId)).toMatchObject([
    {
      type: 'video.store_failed',
      data: { reason: "no part was copied within a worker's time, after 25 failures in a row" },
    },
  ]);
  expect(await world.uploads()).toEqual([]);
});

test('what a dead worker stored is not fetched again', async () => {
  const requestId = await world.begin(SIZE);
  await world.step();
  const [segment] = await world.due();
  let parts = 0;
  // The worker hangs in its third part: its lease runs out.
  world.setS3Faults((call) =>
    isPart(call) && ++parts > 2 ? { kind: 'refuse', status: 403, code: 'AccessDenied' } : undefined,
  );
  await world.newWorker()(segment!);
  const stored = world.counted.BytesCopied ?? 0;
  const row = (await world.segmentsOf(requestId))[0]!;
  await world.table.write({
    update: row,
    set: { lane: 'copy', dueAt: world.clock.now() + 90_000, owner: 'dead' },
  });

  world.setS3Faults(() => undefined);
  await world.runAll();
  expect(stored).toBeGreaterThan(0);
  expect(world.counted.BytesCopied).toBe(SIZE);
  expect(await world.requestOf(requestId)).toMatchObject({ video: { state: 'stored' } });
});

test('a worker that lost its segment to another changes nothing any more', async () => {
  const requestId = await world.begin(SIZE);
  await world.step();
  const [segment] = await world.due();
  let taken = false;
  world.setS3Faults((call) => {
    if (isPart(call) && !taken) {
      taken = true;
      void world.table.write({ update: segment!, set: { owner: 'another', dueAt: segment!.dueAt + 1 } });
    }
    return undefined;
  });
  await world.newWorker()(segment!);
  expect(await world.segmentsOf(requestId)).toMatchObject([{ state: 'open', owner: 'another' }]);
  expect(await world.copyOf(requestId)).toMatchObject({ open: 1 });
  world.setS3Faults(() => undefined);
  await world.runAll();
  expect((await world.eventsOf(requestId)).map(({ type }) => type)).toEqual(['video.stored']);
});
