import { expect, test } from 'vitest';
import { pollWorld } from '../lambdas/poll/poll-world.ts';
import { useDatabase } from '../support/dynamodb.ts';
import { META, OUTBOX, REQUEST, REQUEST_ID } from './rows-of-0.1.ts';

const database = useDatabase();

test('a request that release 0.1 registered is polled on, and its events keep counting', async () => {
  const world = await pollWorld(database());
  for (const row of [REQUEST, META, OUTBOX]) await world.table.write({ put: row });
  await world.topaz.set({
    requestId: REQUEST_ID,
    trace: { statuses: [['processing', 0]], progress: [] },
    faults: [],
  });
  const request = world.request(REQUEST_ID);
  expect(await request.view()).toMatchObject({
    status: 'processing',
    sequence: 3,
    metadata: { order: '42' },
  });

  await world.topaz.set({
    requestId: REQUEST_ID,
    trace: { statuses: [['failed', 0]], progress: [] },
    faults: [],
  });
  await request.poll();

  expect(await request.view()).toMatchObject({ state: 'done', status: 'failed', sequence: 4, polls: 6 });
  expect((await request.events()).map(({ type, data }) => [type, data.sequence])).toEqual([
    ['video.failed', 4],
  ]);
});
