import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTracking } from '../../lambdas/api/requests/tracking.ts';
import { objectKey } from '../../lambdas/domain/rows.ts';
import type { Work } from '../../lambdas/domain/work.ts';
import { generatedSha256 } from '../../local/topaz/video.ts';
import { BUCKET, type CopyWorld, PART, startCopyWorld } from '../lambdas/copy/copy-world.ts';
import { useDatabase } from '../support/dynamodb.ts';
import { killAtCalls } from './crash-points.ts';
import { type Death, mortal } from './mortal-worker.ts';

const database = useDatabase();
let world: CopyWorld;
beforeAll(async () => {
  world = await startCopyWorld({ database: database(), shared: true });
});
afterAll(() => world.stop());

/** Deaths that each story is tried with. */
const FEW = 3;

type End = { readonly calls: number; readonly died: boolean };
type Kind = { readonly bytes: number; readonly faults?: unknown[] };

/**
 * Copies one video, no message ever arriving: only the table tells what is due. The first worker dies
 * as told; those after it live.
 */
async function run({ bytes, faults = [] }: Kind, death: Death | undefined): Promise<End> {
  const requestId = await world.begin(bytes, { faults });
  const end = await work(death);
  await check(requestId, bytes);
  return end;
}

/** Works until nothing is due. Returns the end of the first worker. */
async function work(death: Death | undefined): Promise<End> {
  const life = mortal(death);
  const first = world.newWorker(life);
  for (let steps = 0; await world.step(life.isDead() ? undefined : first); steps++)
    expect(steps, 'the copy does not come to its end').toBeLessThan(50);
  return { calls: life.calls(), died: life.isDead() };
}

async function check(requestId: string, size: number): Promise<void> {
  const key = `videos/${requestId}/video.mp4`;
  expect(await world.requestOf(requestId)).toMatchObject({
    state: 'done',
    video: { state: 'stored', key, size },
  });
  expect((await world.eventsOf(requestId)).map(({ type }) => type)).toEqual(['video.stored']);
  expect(await world.sha256Of(key)).toBe(generatedSha256(requestId, size));
  expect((await world.objects()).filter((each) => each.includes(requestId))).toEqual([key]);
  expect(await world.uploads()).toEqual([]);
  expect(await world.table.get(objectKey(BUCKET, key))).toBeUndefined();
  const rows: Work[] = [await world.copyOf(requestId), ...(await world.segmentsOf(requestId))];
  expect(rows.filter(({ lane }) => lane !== undefined)).toEqual([]);
}

test.each<[string, Kind]>([
  ['of several parts', { bytes: PART + 1 }],
  ['of one part', { bytes: 1000 }],
  ['from a source without ranges', { bytes: PART + 1, faults: [{ at: 'download', kind: 'noRange' }] }],
])(
  'a video %s is stored once and leaves nothing else, at whatever call a worker is killed',
  { timeout: 120_000 },
  async (_name, kind) => {
    await killAtCalls(FEW, (death) => run(kind, death));
  },
);

test('the video of a restarted request is kept, at whatever call a worker is killed', async () => {
  await killAtCalls(FEW, async (death) => {
    const requestId = await world.begin(1000);
    await world.runAll();
    await world.restart(requestId);
    const end = await work(death);
    const told = (await world.eventsOf(requestId)).map(({ type, data }) => [type, data.video]);
    expect(told).toEqual([told[0], told[0]]);
    expect((await world.objects()).filter((key) => key.includes(requestId))).toEqual([
      `videos/${requestId}/video.mp4`,
    ]);
    return end;
  });
});

test('a canceled copy leaves nothing, at whatever call the worker is killed that cleans up', async () => {
  await killAtCalls(FEW, async (death) => {
    const requestId = await world.begin(PART + 1);
    await world.step();
    const { table, clock } = world;
    await createTracking({ table, now: clock.now, retentionDays: 30 }).stop(requestId, { purge: false });
    const end = await work(death);
    expect(await world.copyOf(requestId)).toMatchObject({ state: 'canceled' });
    expect(await world.uploads()).toEqual([]);
    expect((await world.objects()).filter((key) => key.includes(requestId))).toEqual([]);
    expect(await world.eventsOf(requestId)).toEqual([]);
    return end;
  });
});
