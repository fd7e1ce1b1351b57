import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTracking } from '../../../lambdas/api/requests/tracking.ts';
import { objectKey, requestKey } from '../../../lambdas/domain/rows.ts';
import { mortal } from '../../faults/mortal-worker.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { BUCKET, type CopyWorld, PART, SIZE, startCopyWorld } from './copy-world.ts';
import { isBegin, isComplete, isPart, isPut } from './faulty-proxy.ts';

const database = useDatabase();
let world: CopyWorld;
beforeEach(async () => {
  world = await startCopyWorld({ database: database() });
});
afterEach(() => world.stop());

/** `DELETE /v1/requests/{requestId}` */
async function cancel(requestId: string): Promise<void> {
  const { table, clock } = world;
  await createTracking({ table, now: clock.now, retentionDays: 30 }).stop(requestId, { purge: false });
}

async function expectNothingLeft(requestId: string): Promise<void> {
  expect(await world.copyOf(requestId)).toMatchObject({ state: 'canceled', expiresAt: expect.any(Number) });
  expect(await world.requestOf(requestId)).toMatchObject({ state: 'stopped' });
  expect(await world.eventsOf(requestId)).toEqual([]);
  expect(await world.uploads()).toEqual([]);
  expect(await world.objects()).toEqual([]);
  expect(await world.table.get(objectKey(BUCKET, `videos/${requestId}/video.mp4`))).toBeUndefined();
  expect(await world.due()).toEqual([]);
}

test.each([0, 1, 2])('canceled after %i steps, a copy leaves nothing and sends no event', async (steps) => {
  const requestId = await world.begin(SIZE);
  for (let i = 0; i < steps; i++) await world.step();
  await cancel(requestId);
  await world.runAll();
  await expectNothingLeft(requestId);
  expect(world.logged.filter((line) => /^copy canceled/.test(line))).toHaveLength(1);
});

test('canceled while a worker is at it, the worker stops and the upload is gone', async () => {
  const requestId = await world.begin(SIZE);
  await world.step();
  // Two that turn the clock at once would take each other's rows from them: the first part waits for the clean-up.
  let cleanedUp: Promise<unknown> | undefined;
  world.setS3Faults(async (call) => {
    if (!isPart(call) || cleanedUp) return undefined;
    cleanedUp = cancel(requestId).then(() => world.runAll());
    await cleanedUp;
    return undefined;
  });
  await world.runAll();
  await expectNothingLeft(requestId);
});

test('canceled just before a worker begins its upload, that upload goes too', async () => {
  const requestId = await world.begin(SIZE);
  let ended: Promise<unknown> | undefined;
  world.setS3Faults(async (call) => {
    if (!isBegin(call) || ended) return undefined;
    ended = cancel(requestId).then(() => world.runAll());
    await ended;
    return undefined;
  });
  await world.step();
  expect(await world.copyOf(requestId)).toMatchObject({ state: 'canceled' });
  await expectNothingLeft(requestId);
});

test('canceled while a segment waits for a person, it waits no more', async () => {
  const requestId = await world.begin(SIZE);
  const denied = { kind: 'refuse', status: 403, code: 'AccessDenied' } as const;
  world.setS3Faults((call) => (isPart(call) ? denied : undefined));
  await world.runAll();
  expect(await world.segmentsOf(requestId)).toMatchObject([{ lane: 'parked' }]);
  await cancel(requestId);
  await world.runAll();
  const [segment] = await world.segmentsOf(requestId);
  expect(segment).toMatchObject({ state: 'superseded', expiresAt: expect.any(Number) });
  for (const gone of ['lane', 'dueAt', 'parked']) expect(segment).not.toHaveProperty(gone);
  await expectNothingLeft(requestId);
});

test('canceled while a worker looks for a free key, the key is not kept', async () => {
  const requestId = await world.begin(SIZE);
  let ended: Promise<unknown> | undefined;
  world.setS3Faults(async ({ method }) => {
    if (method !== 'HEAD' || ended) return undefined;
    ended = cancel(requestId).then(() => world.runAll());
    await ended;
    return undefined;
  });
  await world.step();
  await expectNothingLeft(requestId);
});

test('canceled just before a worker stores a small object, that object goes too', async () => {
  const requestId = await world.begin(PART / 2);
  let ended: Promise<unknown> | undefined;
  world.setS3Faults(async ({ method }) => {
    if (method !== 'PUT' || ended) return undefined;
    ended = cancel(requestId).then(() => world.runAll());
    await ended;
    return undefined;
  });
  await world.step();
  await expectNothingLeft(requestId);
});

test('canceled when the object was complete but no event sent, the object goes too', async () => {
  const requestId = await world.begin(SIZE);
  await world.step();
  await world.step();
  world.setS3Faults(async (call) => {
    if (!isComplete(call)) return undefined;
    // The completer loses its row just before its object appears.
    await cancel(requestId);
    return { kind: 'lost' };
  });
  await world.step();
  world.setS3Faults(() => undefined);
  await world.runAll();
  await expectNothingLeft(requestId);
});

test('canceled after its request was erased and registered again, a copy leaves the earlier video', async () => {
  const requestId = await world.begin(SIZE);
  await world.runAll();
  const stored = await world.objects();
  await world.beginAgain(requestId);
  await world.step();
  await cancel(requestId);
  await world.runAll();
  expect(await world.copyOf(requestId)).toMatchObject({ state: 'canceled' });
  expect(await world.objects()).toEqual(stored);
});

test.each([
  ['an upload', isBegin, SIZE],
  ['a small object', isPut, PART / 2],
])(
  '%s that its dead worker had asked for, and that appears after the clean-up, goes too',
  async (_name, matches, size) => {
    const requestId = await world.begin(size);
    const asked = Promise.withResolvers<void>();
    const arrives = Promise.withResolvers<void>();
    world.setS3Faults(async (call) => {
      if (!matches(call)) return undefined;
      asked.resolve();
      await arrives.promise;
      return undefined;
    });
    const life = mortal(undefined);
    const [begin] = await world.due();
    const work = world.newWorker(life)(begin!);
    await asked.promise;
    life.kill();
    await cancel(requestId);
    await world.step();
    arrives.resolve();
    await work;
    expect([...(await world.uploads()), ...(await world.objects())]).toHaveLength(1);
    await world.runAll();
    await expectNothingLeft(requestId);
  },
);

test.each(['stored', 'failed'])(
  'a copy that was not told that its request was stopped ends silently when it has %s',
  async (end) => {
    const requestId = await world.begin(PART / 2);
    if (end === 'failed') await world.sim('faults', { faults: [{ at: 'download', kind: 'gzip' }] });
    await world.table.write({ update: requestKey(requestId), set: { state: 'stopped' } });
    await world.runAll();
    await expectNothingLeft(requestId);
  },
);
