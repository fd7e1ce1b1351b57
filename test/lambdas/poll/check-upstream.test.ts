import { expect, test } from 'vitest';
import { mustAsk, type UpstreamCheckRow } from '../../../lambdas/domain/polling/upstream-check.ts';
import { upstreamCheckKey } from '../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { PLACEHOLDER, pollWorld } from './poll-world.ts';

const database = useDatabase();

/** A poll stage that is asked to look at upstream. */
async function asked() {
  const world = await pollWorld(database());
  const check = async () => {
    const due = { ...upstreamCheckKey, dueAt: world.clock.now() };
    await world.table.write({ put: { ...due, lane: 'poll', askedAt: world.clock.now() } });
    await world.worker.invoke([due]);
    return world.table.get<UpstreamCheckRow>(upstreamCheckKey);
  };
  return { ...world, check };
}

test('an upstream that does not know the id of no job has taken the key', async () => {
  const { check, lines } = await asked();
  const row = await check();
  expect(row).toMatchObject({ answer: { outcome: 'accepted' } });
  expect(row).not.toHaveProperty('lane');
  expect(row).not.toHaveProperty('owner');
  expect(mustAsk(row, row?.answer?.at ?? 0)).toBe(false);
  expect(lines.join()).toContain('checked upstream');
});

test.each([
  [401, 'unauthorized', /refuses the API key/],
  [429, 'throttled', /limits the rate/],
  [500, 'fault', /answered 500/],
])('an answer of %i is kept as %s, and pauses nothing', async (status, outcome, detail) => {
  const { check, topaz, pause } = await asked();
  await topaz.post('/_sim/faults', { faults: [{ at: 'status', kind: 'http', status }] });
  expect(await check()).toMatchObject({ answer: { outcome, detail: expect.stringMatching(detail) } });
  expect(await pause()).toBeUndefined();
});

test('a key that was not put in yet is found without a request', async () => {
  const { check, secret } = await asked();
  secret.text = PLACEHOLDER;
  expect(await check()).toMatchObject({
    answer: { outcome: 'no-key', detail: expect.stringContaining('holds no Topaz API key') },
  });
});
