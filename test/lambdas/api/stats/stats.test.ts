import { expect, test } from 'vitest';
import { outboxKey, requestKey, upstreamPauseKey } from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { createClient, uuid } from '../call-api.ts';

const database = useDatabase();

test('stats count requests by state and status, and lanes by what waits, is overdue and parked', async () => {
  const { table } = database();
  const api = createClient(database());
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(uuid) as [string, string, string, string];
  for (const requestId of [a, b, c, d]) await api.call('POST', '/v1/requests', { body: { requestId } });
  const at = api.clock.now;
  const parked = (lane: string) => ({ lane: 'parked', dueAt: at, parked: { reason: 'x', since: at, lane } });
  await table.write({ update: requestKey(a), set: { status: 'processing', dueAt: at + 100_000 } });
  await table.write({ update: requestKey(b), set: parked('poll') });
  await table.write({ update: outboxKey({ kind: 'request', requestId: b }), set: parked('dispatch') });
  await table.write({
    update: requestKey(c),
    set: { state: 'done', status: 'complete', listKey: 'requests#done' },
    remove: ['lane', 'dueAt'],
  });
  api.clock.now += 42_500;

  const { status, body } = await api.call('GET', '/v1/stats');
  expect(status).toBe(200);
  const idle = { waiting: 0, overdue: 0, oldestOverdueSeconds: 0, parked: 0 };
  expect(body).toEqual({
    upstream: { state: 'ok' },
    requests: {
      byState: { active: 2, parked: 1, done: 1, stopped: 0 },
      byStatus: { registered: 2, processing: 1, complete: 1 },
      capped: false,
    },
    lanes: {
      poll: { waiting: 2, overdue: 1, oldestOverdueSeconds: 42, parked: 1 },
      copy: idle,
      dispatch: { ...idle, parked: 1 },
      deliver: idle,
      'deliver-slow': idle,
    },
  });
});

test('a pause of all polling is shown with its reason, and a person can end it', async () => {
  const { table } = database();
  const api = createClient(database());
  const requestId = uuid('paused');
  await api.call('POST', '/v1/requests', { body: { requestId } });
  const since = api.clock.now - 60_000;
  const until = api.clock.now + 600_000;
  await table.write({ put: { ...upstreamPauseKey, reason: 'throttled', strikes: 1, since, until } });
  const upstream = async () => (await api.call('GET', '/v1/stats')).body.upstream;
  expect(await upstream()).toEqual({
    state: 'paused',
    reason: 'Topaz asks to wait',
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  });
  expect((await api.call('POST', `/v1/requests/${requestId}/poll`)).status).toBe(202);
  expect(await table.get(upstreamPauseKey)).toMatchObject({ until: api.clock.now });
  await table.write({ delete: upstreamPauseKey });
});
