import { expect, test } from 'vitest';
import type { DeliveryRow } from '../../../lambdas/domain/delivering/delivery.ts';
import type { EndpointRow } from '../../../lambdas/domain/delivering/endpoint.ts';
import { numberEvents } from '../../../lambdas/domain/events/event.ts';
import { copyKey, endpointKey, requestKey } from '../../../lambdas/domain/rows.ts';
import { withdraw } from '../../../lambdas/engine/wake.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { expectHintsToNameRows } from '../../support/recorded-hints.ts';
import { deliveryRow } from '../../support/rows.ts';
import { createClient, uuid } from './call-api.ts';

const database = useDatabase();
const CALLBACK_URL = 'https://hooks.example.com/a';

/** The api with a clock that moves by 1 ms at each read, so that a due time computed twice differs. */
const createCaller = () => createClient(database(), { tick: 1 });

/** Makes the call, and checks that what it hinted is due as it was hinted. */
async function called(
  api: ReturnType<typeof createCaller>,
  status: number,
  ...[method, path, body]: [method: string, path: string, body?: object]
) {
  api.hints.clear();
  const answer = await api.call(method, path, { body });
  expect(answer.status, `${method} ${path}`).toBe(status);
  await expectHintsToNameRows(database().table, api.hints);
  return answer.body;
}

test('every call about a request hints its rows by the time that they are due', async () => {
  const api = createCaller();
  const { table } = database();
  const requestId = uuid('orders');
  const path = `/v1/requests/${requestId}`;
  await called(api, 201, 'POST', '/v1/requests', { requestId, callbackUrl: CALLBACK_URL });
  await called(api, 200, 'POST', '/v1/requests', { requestId, callbackUrl: `${CALLBACK_URL}/2` });
  await called(api, 202, 'POST', `${path}/poll`);
  await called(api, 202, 'POST', `${path}/poll`);
  await table.write(withdraw(requestKey(requestId), { set: { state: 'done' } }));
  await called(api, 200, 'POST', '/v1/requests?restart=true', { requestId });
  await table.write({ put: { ...copyKey(requestId), lane: 'copy', dueAt: api.clock.now, owner: 'x' } });
  await called(api, 204, 'DELETE', path);
  await called(api, 204, 'DELETE', `${path}?purge=true`);
});

test('every item of a batch is hinted by the time that it is due', async () => {
  const items = [1, 2, 3].map((n) => ({ requestId: uuid(`batch ${n}`) }));
  const api = createCaller();
  await called(api, 200, 'POST', '/v1/requests/batch', { items });
  expect(api.hints.of('poll')).toHaveLength(3);
});

test('every call about an endpoint hints its rows by the time that they are due', async () => {
  const api = createCaller();
  const { table } = database();
  const { id } = (await api.call('POST', '/v1/endpoints', { body: { url: CALLBACK_URL } })).body;
  const path = `/v1/endpoints/${id}`;
  await called(api, 202, 'POST', `${path}/test`);
  await called(api, 202, 'POST', `${path}/test`);
  await api.call('PATCH', path, { body: { enabled: false } });
  await called(api, 200, 'PATCH', path, { enabled: true });
  await called(api, 200, 'PATCH', path, { rateLimit: 2 });
  await called(api, 202, 'POST', `${path}/replay`, { since: '2026-11-01T00:00:00Z' });

  const source = { kind: 'request', requestId: uuid('event') } as const;
  const last = { sequence: 0, position: 0 };
  const [event] = numberEvents(source, last, [{ type: 'video.accepted', data: {} }], api.clock.now).rows;
  const endpoint = await table.get<EndpointRow>(endpointKey(id));
  if (!event || !endpoint) throw new Error('both were just made');
  const delivery: DeliveryRow = deliveryRow(event, endpoint);
  await table.write({ put: delivery });
  await called(api, 202, 'POST', `/v1/deliveries/${delivery.id}/retry`);
  await called(api, 204, 'DELETE', path);
});

test('calls that wait for a worker hint the row that they made', async () => {
  const api = createCaller();
  const { id } = (await api.call('POST', '/v1/endpoints', { body: { url: CALLBACK_URL } })).body;
  await called(api, 200, 'GET', '/v1/doctor');
  await called(api, 202, 'POST', `/v1/endpoints/${id}/test`, { url: `${CALLBACK_URL}/try` });
});

test('a row that is released from its parking is hinted by the time that it is due', async () => {
  const api = createCaller();
  const requestId = uuid('parked and released');
  await api.call('POST', '/v1/requests', { body: { requestId } });
  const since = api.clock.now;
  const parked = { reason: 'broken', since, lane: 'poll' };
  await database().table.write({
    update: requestKey(requestId),
    set: { lane: 'parked', dueAt: since, parked },
  });
  const { items } = (await api.call('GET', '/v1/parked')).body;
  await called(api, 202, 'POST', `/v1/parked/${items[0].id}/release`);
});
