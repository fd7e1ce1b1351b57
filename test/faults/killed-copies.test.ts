import { afterAll, beforeAll, expect, test } from 'vitest';
import { objectKey } from '../../lambdas/domain/rows.ts';
import type { Work } from '../../lambdas/domain/work.ts';
import { generatedSha256 } from '../../local/topaz/video.ts';
import { BUCKET, type CopyWorld, PART, startCopyWorld } from '../lambdas/copy/copy-world.ts';
import { useDatabase } from '../support/dynamodb.ts';
import { type Death, mortal } from './mortal-worker.ts';

const database = useDatabase();
let world: CopyWorld;
beforeAll(async () => {
  world = await startCopyWorld({ database: database() });
});
afterAll(() => world.stop());

type Kind = { readonly bytes: number; readonly faults?: unknown[] };

/**
 * Copies one video, no message ever arriving: only the table tells what is due. The first worker dies
 * as told; those after it live. Returns whether it came as far as its death.
 */
async function run({ bytes, faults = [] }: Kind, death: Death | undefined): Promise<boolean> {
  const requestId = await world.begin(bytes, { faults });
  const life = mortal(death);
  const first = world.newWorker(life);
  for (let steps = 0; await world.step(life.isDead() ? undefined : first); steps++)
    expect(steps, 'the copy does not come to its end').toBeLessThan(50);
  await check(requestId, bytes);
  return life.isDead();
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
    await run(kind, undefined);
    for (let atCall = 1; await run(kind, { atCall }); atCall++);
  },
);
