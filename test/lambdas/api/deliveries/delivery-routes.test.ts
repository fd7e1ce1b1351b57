import { beforeEach, describe, expect, test } from 'vitest';
import type { DeliveryRow, DeliveryState } from '../../../../lambdas/domain/delivering/delivery.ts';
import { deliveryId, eventId, parseEventId } from '../../../../lambdas/domain/ids.ts';
import { deliveryKey, eventKey } from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { type Client, createClient, uuid } from '../call-api.ts';

const database = useDatabase();
const requestId = uuid('delivered');
let api: Client;
let endpointId: string;

beforeEach(async () => {
  api = createClient(database());
  const { body } = await api.call('POST', '/v1/endpoints', { body: { url: 'https://hooks.example.com/' } });
  endpointId = body.id;
});

async function deliver(
  position: number,
  state: DeliveryState,
  more: Partial<DeliveryRow> = {},
): Promise<DeliveryRow> {
  const occurredAt = api.clock.now + position;
  const event = eventId({ occurredAt, source: { kind: 'request', requestId }, position });
  const row: DeliveryRow = {
    ...deliveryKey(endpointId, event),
    id: deliveryId(endpointId, event),
    eventId: event,
    endpointId,
    requestId,
    type: 'video.processing',
    body: JSON.stringify({ id: event, type: 'video.processing', timestamp: '', data: {} }),
    endpointCreatedAt: 0,
    state,
    createdAt: occurredAt,
    attempts: [{ at: occurredAt, durationMs: 12, statusCode: 500, body: 'no' }],
    attemptCount: 1,
    failures: 1,
    ...more,
  };
  await database().table.write({ put: row });
  return row;
}

const read = (row: DeliveryRow) => database().table.get<DeliveryRow>(row);

test('one delivery is shown with its attempts and the next one', async () => {
  const row = await deliver(1, 'pending', { lane: 'deliver-slow', dueAt: api.clock.now + 5_000 });
  const { body } = await api.call('GET', `/v1/deliveries/${row.id}`);
  expect(body).toEqual({
    id: row.id,
    eventId: row.eventId,
    endpointId,
    requestId,
    type: 'video.processing',
    timestamp: '2026-11-23T20:00:00.001Z',
    state: 'pending',
    nextAttemptAt: '2026-11-23T20:00:05.000Z',
    attemptCount: 1,
    attempts: [{ at: '2026-11-23T20:00:00.001Z', durationMs: 12, statusCode: 500, body: 'no' }],
  });
});

test('one that is being sent has no next attempt yet', async () => {
  const leased = { lane: 'deliver', dueAt: api.clock.now + 90_000, owner: 'somebody', claims: 1 };
  const row = await deliver(1, 'pending', leased);
  expect((await api.call('GET', `/v1/deliveries/${row.id}`)).body).not.toHaveProperty('nextAttemptAt');
});

test('what is no delivery is not found', async () => {
  for (const id of [
    'dlv_x',
    'x',
    deliveryId(endpointId, eventId({ occurredAt: 1, source: { kind: 'request', requestId }, position: 9 })),
  ]) {
    expect((await api.call('GET', `/v1/deliveries/${id}`)).status).toBe(404);
    expect((await api.call('POST', `/v1/deliveries/${id}/retry`)).status).toBe(404);
  }
  expect((await api.call('GET', '/v1/endpoints/nothing/deliveries')).status).toBe(404);
});

test("an endpoint's deliveries are listed newest first, by state, without the expired", async () => {
  const rows: DeliveryRow[] = [];
  for (let n = 1; n <= 5; n++) rows.unshift(await deliver(n, n % 2 ? 'failed' : 'delivered'));
  await deliver(6, 'failed', { expiresAt: 1 });
  const path = `/v1/endpoints/${endpointId}/deliveries`;
  const first = await api.call('GET', `${path}?limit=3`);
  const rest = await api.call('GET', `${path}?limit=3&cursor=${first.body.cursor}`);
  const ids = [...first.body.items, ...rest.body.items].map(({ id }) => id);
  expect(ids).toEqual(rows.map(({ id }) => id));
  const failed = await api.call('GET', `${path}?state=failed`);
  expect(failed.body.items.map(({ id }: DeliveryRow) => id)).toEqual(
    rows.filter(({ state }) => state === 'failed').map(({ id }) => id),
  );
});

describe('the list of deliveries', () => {
  const answered = (attempt: object) => ({ attempts: [{ at: 0, durationMs: 1, ...attempt }] });
  const listed = async (query: string): Promise<number[]> => {
    const path = `/v1/endpoints/${endpointId}/deliveries?${query}`;
    const { body } = await api.call('GET', path);
    return body.items.map(({ eventId: id }: DeliveryRow) => parseEventId(id)?.position).reverse();
  };

  test.each([
    ['statusCode=404', [1]],
    ['statusCode=4xx', [1, 2]],
    ['statusCode=none', [3]],
    ['type=video.stored', [2]],
    ['type=video.*', [1, 2, 3, 4]],
    ['type=endpoint.*', [5]],
    ['state=failed&statusCode=4xx&type=video.stored', [2]],
    ['state=delivered&statusCode=4xx', []],
  ])('is filtered by %s', async (query, positions) => {
    await deliver(1, 'failed', answered({ statusCode: 404 }));
    await deliver(2, 'failed', { ...answered({ statusCode: 410 }), type: 'video.stored' });
    await deliver(3, 'failed', answered({ error: 'dns' }));
    await deliver(4, 'delivered', answered({ statusCode: 204 }));
    await deliver(5, 'delivered', { ...answered({ statusCode: 204 }), type: 'endpoint.test' });
    expect(await listed(query)).toEqual(positions);
  });

  test('is bounded by the time of the events, page by page, without the end of the range', async () => {
    for (let n = 1; n <= 6; n++) await deliver(n, 'delivered');
    const at = (n: number) => new Date(api.clock.now + n).toISOString();
    expect(await listed(`since=${at(2)}`)).toEqual([2, 3, 4, 5, 6]);
    expect(await listed(`until=${at(2)}`)).toEqual([1]);
    const path = `/v1/endpoints/${endpointId}/deliveries?since=${at(2)}&until=${at(6)}&limit=3`;
    const first = (await api.call('GET', path)).body;
    const second = (await api.call('GET', `${path}&cursor=${first.cursor}`)).body;
    expect([first.items.length, second.items.length, second.cursor]).toEqual([3, 1, undefined]);
  });

  test.each([
    ['statusCode=9', 'statusCode'],
    ['type=*', 'type'],
    ['since=yesterday', 'since'],
    ['since=2026-11-20T00:00:00Z&until=2026-11-19T00:00:00Z', 'until'],
  ])('refuses %s', async (query, path) => {
    const { status, body } = await api.call('GET', `/v1/endpoints/${endpointId}/deliveries?${query}`);
    expect([status, body.errors[0].path]).toEqual([400, path]);
  });
});

test('a filter that matches little goes on with the cursor, even after an empty page', async () => {
  const many = Array.from({ length: 1_050 }, (_, n) => n + 1);
  for (let at = 0; at < many.length; at += 50) {
    await Promise.all(many.slice(at, at + 50).map((n) => deliver(n, n === 1 ? 'failed' : 'delivered')));
  }
  const path = `/v1/endpoints/${endpointId}/deliveries?state=failed`;
  const first = await api.call('GET', path);
  expect(first.body.items).toEqual([]);
  const next = await api.call('GET', `${path}&cursor=${first.body.cursor}`);
  expect(next.body.items).toHaveLength(1);
});

describe('retrying', () => {
  test.each(['failed', 'delivered', 'canceled', 'held'] as const)(
    'begins a new schedule for a %s one',
    async (state) => {
      const row = await deliver(1, state, {
        expiresAt: 2_000_000_000,
        lane: `failed#${endpointId}`,
        dueAt: 1,
      });
      const answer = await api.call('POST', `/v1/deliveries/${row.id}/retry`);
      expect([answer.status, answer.body.state]).toEqual([202, 'pending']);
      const retried = await read(row);
      expect(retried).toMatchObject({ state: 'pending', failures: 0, attemptCount: 1, lane: 'deliver' });
      expect(retried).toMatchObject({ dueAt: api.clock.now });
      expect(retried).not.toHaveProperty('expiresAt');
      // It is for the endpoint that is there now, whatever was deleted before.
      expect(retried?.endpointCreatedAt).toBeGreaterThan(0);
      expect(api.hints.of('deliver')).toEqual([
        { ...deliveryKey(endpointId, row.eventId), dueAt: api.clock.now },
      ]);
    },
  );

  test('makes a pending one due now, and its schedule goes on', async () => {
    const row = await deliver(1, 'pending', {
      lane: 'deliver-slow',
      dueAt: api.clock.now + 9_000,
      owner: 'x',
      failures: 3,
    });
    await api.call('POST', `/v1/deliveries/${row.id}/retry`);
    const retried = await read(row);
    expect(retried).toMatchObject({ state: 'pending', failures: 3, dueAt: api.clock.now });
    expect(retried).not.toHaveProperty('owner');
  });

  test('is a conflict when the endpoint is deleted', async () => {
    const row = await deliver(1, 'failed');
    await api.call('DELETE', `/v1/endpoints/${endpointId}`);
    expect((await api.call('POST', `/v1/deliveries/${row.id}/retry`)).status).toBe(409);
  });
});

describe('events', () => {
  test('are found by their id, and gone with their request', async () => {
    await api.call('POST', '/v1/requests', { body: { requestId, metadata: { a: 'b' } } });
    const source = { kind: 'request', requestId } as const;
    const id = eventId({ occurredAt: api.clock.now, source, position: 1 });
    const event = {
      id,
      type: 'video.requested',
      occurredAt: api.clock.now,
      position: 1,
      data: { sequence: 1 },
    };
    await database().table.write({ put: { ...eventKey(source, 1), ...event } });
    const { body } = await api.call('GET', `/v1/events/${id}`);
    expect(body).toEqual({
      id,
      type: 'video.requested',
      timestamp: '2026-11-23T20:00:00.000Z',
      data: { sequence: 1, metadata: { a: 'b' } },
    });
    const other = eventId({ occurredAt: api.clock.now + 1, source, position: 1 });
    for (const unknown of [other, 'msg_x']) {
      expect((await api.call('GET', `/v1/events/${unknown}`)).status).toBe(404);
    }
    await api.call('DELETE', `/v1/requests/${requestId}?purge=true`);
    expect((await api.call('GET', `/v1/events/${id}`)).status).toBe(404);
  });
});
