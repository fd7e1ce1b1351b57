import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTable, type Table } from '../../../../lambdas/adapters/dynamodb/table.ts';
import type { RequestRow } from '../../../../lambdas/domain/requests/request.ts';
import { countChanges } from '../../../../lambdas/domain/requests/request-counts.ts';
import { isExpired, requestExpiry } from '../../../../lambdas/domain/retention.ts';
import { outboxKey, requestKey, upstreamPauseKey } from '../../../../lambdas/domain/rows.ts';
import { countWrites } from '../../../../lambdas/rows/request-counts.ts';
import { newTable, useDatabase } from '../../../support/dynamodb.ts';
import { createClient, uuid } from '../call-api.ts';

const database = useDatabase();

/** Changes a request with its counts, as the stages do. */
async function change(table: Table, requestId: string, set: Partial<RequestRow>, remove: string[] = []) {
  const row = (await table.get<RequestRow>(requestKey(requestId))) as RequestRow;
  const counts = countWrites(countChanges(row, { ...row, ...set }), requestId);
  await table.transact([{ update: row, set, remove }, ...counts]);
}

test('stats count requests by state and status, and lanes by what waits, is overdue and parked', async () => {
  const { table } = database();
  const api = createClient(database());
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(uuid) as [string, string, string, string];
  for (const requestId of [a, b, c, d]) await api.call('POST', '/v1/requests', { body: { requestId } });
  const at = api.clock.now;
  const parked = (lane: string) => ({ lane: 'parked', dueAt: at, parked: { reason: 'x', since: at, lane } });
  await change(table, a, { status: 'processing', dueAt: at + 100_000 });
  await table.write({ update: requestKey(b), set: parked('poll') });
  await table.write({ update: outboxKey({ kind: 'request', requestId: b }), set: parked('dispatch') });
  await change(table, c, { state: 'done', status: 'complete', expiresAt: requestExpiry(at, 30) }, [
    'lane',
    'dueAt',
  ]);
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
    reason: 'Topaz limits the rate of polls (429 or 503)',
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  });
  expect((await api.call('POST', `/v1/requests/${requestId}/poll`)).status).toBe(202);
  expect(await table.get(upstreamPauseKey)).toMatchObject({ until: api.clock.now });
  await table.write({ delete: upstreamPauseKey });
});

test('the counts are those of a scan, whatever the orders and changes, also when requests expire', async () => {
  const seed = Date.now() % 2 ** 31;
  const { client } = database();
  const tableName = await newTable(client);
  const table = createTable(client, tableName);
  const api = createClient({ table });
  const ids = Array.from({ length: 8 }, (_, n) => uuid(`counted ${n}`));
  const end = { state: 'done', status: 'complete' } as const;
  const orders = [
    (id: string) => api.call('POST', '/v1/requests', { body: { requestId: id } }),
    (id: string) => api.call('POST', '/v1/requests?restart=true', { body: { requestId: id } }),
    (id: string) => api.call('DELETE', `/v1/requests/${id}`),
    (id: string) => api.call('DELETE', `/v1/requests/${id}?purge=true`),
    (id: string) => changed(id, { status: 'processing' }),
    (id: string) => changed(id, { status: 'an unknown status' }),
    (id: string) => changed(id, { ...end, expiresAt: requestExpiry(api.clock.now, 30) }),
    () =>
      api.call('POST', '/v1/requests/batch', { body: { items: ids.map((requestId) => ({ requestId })) } }),
    async () => {
      api.clock.now += 9 * 86_400_000;
    },
  ];
  async function changed(id: string, set: Partial<RequestRow>) {
    const row = await table.get<RequestRow>(requestKey(id));
    if (row?.state === 'active') await change(table, id, set, set.state ? ['lane', 'dueAt'] : []);
  }
  const order = fc.tuple(fc.nat(orders.length - 1), fc.constantFrom(...ids));
  const [given = []] = fc.sample(fc.array(order, { minLength: 120, maxLength: 120 }), { numRuns: 1, seed });
  for (const [which, id] of given) await orders[which]?.(id);

  const expected: Record<string, number> = {};
  for (const row of await table.getMany<RequestRow>(ids.map(requestKey))) {
    if (!row || row.purged || isExpired(row, api.clock.now)) continue;
    const status = row.status.includes(' ') ? 'unrecognized' : row.status;
    for (const name of [row.state, status]) expected[name] = (expected[name] ?? 0) + 1;
  }
  const { byState, byStatus } = (await api.call('GET', '/v1/stats')).body.requests;
  const found = Object.entries<number>({ ...byState, ...byStatus }).filter(([, count]) => count !== 0);
  expect(Object.fromEntries(found), `seed ${seed}`).toEqual(expected);
});
