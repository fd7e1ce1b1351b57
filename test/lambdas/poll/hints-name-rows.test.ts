import { expect, test } from 'vitest';
import { movingClock } from '../../support/claims.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { pollWorld } from './poll-world.ts';

const database = useDatabase();

/** The clock moves by 1 ms at each read, so that a due time computed twice differs; the world compares each hint with its row. */
const startWorld = () => pollWorld(database(), { clock: movingClock() });

test('each poll of a job, up to its copy, hints its rows by the time that they are due', async () => {
  const { register, hints } = await startWorld();
  const request = await register([
    ['processing', 0],
    ['complete', 1],
  ]);
  for (let polls = 0; (await request.row()).lane === 'poll' && polls < 10; polls++) await request.poll();
  expect((await request.row()).status).toBe('complete');
  expect(hints.of('poll').length).toBeGreaterThan(0);
  expect(hints.of('dispatch').length).toBeGreaterThan(1);
  expect(hints.of('copy')).toHaveLength(1);
});

test.each([
  ['fails', 500],
  ['is refused, and those that are held behind it,', 429],
])('a poll that %s hints its row by the time that it is due', async (_how, status) => {
  const { register, hints, topaz } = await startWorld();
  await topaz.post('/_sim/faults', { faults: [{ at: 'status', kind: 'http', status }] });
  const [first, second] = [await register(), await register()];
  await first.poll();
  await second.poll();
  expect(hints.of('poll')).toHaveLength(2);
});
