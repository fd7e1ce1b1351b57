import { expect, test } from 'vitest';
import { pollWorld } from '../lambdas/poll/poll-world.ts';
import { useDatabase } from '../support/dynamodb.ts';

const database = useDatabase();

// https://github.com/Scottcjn/bottube/issues/2209: a worker took every failed poll for a job that waits, so
// an outage looked like a queue.
test.each([
  ['an error of the server', { kind: 'http', status: 500 }, 'Topaz answered 500'],
  ['a job that is not found', { kind: 'http', status: 404 }, 'Topaz does not know the request (404)'],
  [
    'a refused key',
    { kind: 'http', status: 401 },
    'Topaz refuses the API key: put a valid one into its secret',
  ],
  ['an answer that is not JSON', { kind: 'notJson' }, 'the answer is not JSON'],
  ['a connection that breaks', { kind: 'reset' }, 'the connection to Topaz failed (ECONNRESET)'],
])('%s is shown on the request, until a poll succeeds', async (_, fault, reason) => {
  const { register, topaz, clock } = await pollWorld(database());
  await topaz.post('/_sim/faults', { faults: [{ at: 'status', ...fault }] });
  const request = await register();
  await request.poll();
  expect(await request.view()).toMatchObject({
    status: 'registered',
    lastError: { at: new Date(clock.now()).toISOString(), reason },
  });
  await topaz.post('/_sim/faults', { faults: [] });
  await request.poll();
  expect(await request.view()).toMatchObject({ status: 'processing' });
  expect((await request.view()).lastError).toBeUndefined();
});
