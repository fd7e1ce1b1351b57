import { expect, test } from 'vitest';
import { useDatabase } from '../../support/dynamodb.ts';
import { pollWorld } from './poll-world.ts';

const database = useDatabase();

/** Requests that are all due now. */
async function setUp(count: number) {
  const world = await pollWorld(database());
  const requests = [];
  for (let n = 0; n < count; n++) requests.push(await world.register());
  const hints = await Promise.all(requests.map((request) => request.hint()));
  return { ...world, requests, due: hints };
}

test('a burst is polled a little below the worker’s share of the cap, also across its invocations', async () => {
  const { worker, due, sent, starts, clock } = await setUp(20);
  const start = clock.now();
  await worker.invoke(due.slice(0, 10));
  await worker.invoke(due.slice(10));
  expect(starts).toEqual(due.map((_, n) => start + n * 210));
  expect(sent).toHaveLength(20);
});

test('two workers at once stay under the cap of both together', async () => {
  const { startWorker, due, sent, starts } = await setUp(40);
  const [one, other] = [startWorker(), startWorker()];
  await Promise.all([one.invoke(due.slice(0, 20)), other.invoke(due.slice(20))]);
  expect(sent).toHaveLength(40);
  const sorted = starts.toSorted((a, b) => a - b);
  const inOneSecond = sorted.map((from) => sorted.filter((at) => at >= from && at < from + 1_000).length);
  // Each has a share of five per second.
  expect(Math.max(...inOneSecond)).toBeLessThanOrEqual(10);
});

test('rows that an invocation has no time for stay due and unclaimed, and are hinted again', async () => {
  const { worker, due, sent, hints, requests } = await setUp(20);
  // Rows are begun until 15 s before the function's end.
  const answer = await worker.invoke(due, 16_000);
  expect(answer).toEqual({ batchItemFailures: [] });
  expect(sent.length).toBeLessThan(20);
  const left = [];
  for (const request of requests) if ((await request.row()).polls === 0) left.push(await request.hint());
  expect(left).toHaveLength(20 - sent.length);
  expect(due).toEqual(expect.arrayContaining(left));
  expect(hints.of('poll')).toEqual(expect.arrayContaining(left));
  await worker.invoke(left);
  expect(sent).toHaveLength(20);
});

test('a hint of a row that is done already takes none of the limiter', async () => {
  const { worker, due, sent, starts } = await setUp(3);
  await worker.invoke([due[0]!, due[0]!, due[0]!, due[1]!, due[2]!]);
  expect(sent).toHaveLength(3);
  expect(starts).toHaveLength(3);
});

test('a row that is polled late waits for longer than one polled in time', async () => {
  const { clock, register } = await pollWorld(database());
  const wait = async (lateness: number) => {
    const request = await register([['processing', 0]], { estimates: { time: [600, 700] } });
    clock.advance(lateness);
    await request.poll();
    return ((await request.row()).dueAt ?? 0) - clock.now();
  };
  const inTime = await wait(1_000);
  expect(await wait(20_000)).toBeGreaterThan(inTime);
});
