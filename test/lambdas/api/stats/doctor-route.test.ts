import { expect, test } from 'vitest';
import { endpointKey, requestKey, upstreamPauseKey } from '../../../../lambdas/domain/rows.ts';
import { startDatabase } from '../../../support/dynamodb.ts';
import { endpointRow } from '../../../support/rows.ts';
import { createClient, uuid } from '../call-api.ts';

test('the doctor finds all well, then names each thing that a person has to mend', async ({
  onTestFinished,
}) => {
  const database = await startDatabase();
  onTestFinished(() => database.stop());
  const api = createClient(database);
  type Check = { name: string; state: string; detail: string; remedy?: string };
  const checks = async (): Promise<Record<string, Check>> => {
    const { status, body } = await api.call('GET', '/v1/doctor');
    expect({ status, version: body.version }).toEqual({ status: 200, version: 'from sources' });
    return Object.fromEntries(body.checks.map((check: Check) => [check.name, check]));
  };
  const well = await checks();
  expect(Object.values(well).map(({ state }) => state)).toEqual(Object.values(well).map(() => 'ok'));

  const { table } = database;
  const [late, parked] = [uuid('late'), uuid('parked')];
  for (const requestId of [late, parked]) await api.call('POST', '/v1/requests', { body: { requestId } });
  const since = api.clock.now;
  await table.write({
    update: requestKey(parked),
    set: { lane: 'parked', parked: { reason: 'x', since, lane: 'poll' } },
  });
  const failing = endpointRow(3, { health: { state: 'failing' } });
  await table.write({ put: { ...failing, ...endpointKey(failing.id) } });
  const pause = { reason: 'unauthorized', strikes: 2, since, until: since + 3_600_000 };
  await table.write({ put: { ...upstreamPauseKey, ...pause } });
  api.clock.now += 1_800_000;

  const ill = await checks();
  expect(ill.upstream).toMatchObject({ state: 'failed', detail: expect.stringContaining('API key') });
  expect(ill.work).toMatchObject({ state: 'warning', detail: 'Work is late: poll by 30 min.' });
  expect(ill.parked).toMatchObject({ state: 'failed', detail: '1 row is parked.' });
  expect(ill.endpoints).toMatchObject({ state: 'warning', detail: expect.stringContaining(failing.id) });
  for (const { state, remedy } of Object.values(ill)) expect(remedy === undefined).toBe(state === 'ok');
});
