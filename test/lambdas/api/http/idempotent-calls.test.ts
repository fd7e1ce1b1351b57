import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Row } from '../../../../lambdas/adapters/dynamodb/condition-failed.ts';
import type { EndpointRow } from '../../../../lambdas/domain/delivering/endpoint.ts';
import { GATE_LANE } from '../../../../lambdas/domain/delivering/gate/gate.ts';
import { numberEvents } from '../../../../lambdas/domain/events/event.ts';
import { endpointKey } from '../../../../lambdas/domain/rows.ts';
import { entryWrite } from '../../../../lambdas/rows/backlog.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { deliveryRow } from '../../../support/rows.ts';
import { type Client, createClient, uuid } from '../call-api.ts';

const database = useDatabase();
const ENDPOINT = { url: 'https://hooks.example.com/' };
let api: Client;
let key: string;
let tests = 0;

beforeEach(() => {
  api = createClient(database());
  key = `key ${++tests}`;
});

const post = (path: string, body?: unknown, idempotencyKey = key) =>
  api.call('POST', path, { body, headers: { 'idempotency-key': idempotencyKey } });

/** A delivery of a new event to a new endpoint, as the fan-out leaves it; its id. */
async function delivered(endpoint: object): Promise<string> {
  const { id } = (await api.call('POST', '/v1/endpoints', { body: endpoint })).body;
  const source = { kind: 'request', requestId: randomUUID() } as const;
  const drafts = [{ type: 'video.processing' as const, data: {} }];
  const { rows } = numberEvents(source, { sequence: 0, position: 0 }, drafts, api.clock.now);
  const { table } = database();
  const row = deliveryRow(rows[0]!, (await table.get<EndpointRow>(endpointKey(id)))!);
  await table.transact([{ put: row }, ...(row.backlogKey ? [entryWrite(row.backlogKey, row)] : [])]);
  return row.id;
}

async function allRows(): Promise<string> {
  const { client, tableName } = database();
  const { Items } = await client.send(new ScanCommand({ TableName: tableName }));
  return JSON.stringify(Items?.filter((item) => item.pk?.S?.startsWith('IDEMPOTENCY#')));
}

describe('the same key', () => {
  test('creates one endpoint, and answers it with the same secret', async () => {
    const first = await post('/v1/endpoints', ENDPOINT);
    const again = await post('/v1/endpoints', ENDPOINT);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    const { items } = (await api.call('GET', '/v1/endpoints')).body;
    expect(items.filter((item: Row) => item.id === first.body.id)).toHaveLength(1);
  });

  test('has one effect for many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => post('/v1/endpoints', ENDPOINT)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });

  test('answers 201 again for a request that was registered by it', async () => {
    const requestId = uuid('registered by a key');
    expect((await post('/v1/requests', { requestId })).status).toBe(201);
    api.hints.clear();
    expect((await post('/v1/requests', { requestId })).status).toBe(201);
    expect(api.hints.sent).toEqual([]);
    expect((await api.call('POST', '/v1/requests', { body: { requestId } })).status).toBe(200);
  });

  test('rotates a secret once', async () => {
    const { id } = (await api.call('POST', '/v1/endpoints', { body: ENDPOINT })).body;
    const path = `/v1/endpoints/${id}/secret/rotate`;
    const answers = await Promise.all([post(path), post(path)]);
    expect(answers[0]?.body).toEqual(answers[1]?.body);
    expect((await api.call('GET', `/v1/endpoints/${id}/secret`)).body.secret).toBe(answers[0]?.body.secret);
    await api.call('POST', path, { body: { overlapHours: 0 } });
    expect((await post(path)).status).toBe(409);
  });

  test('sends one test event', async () => {
    const { id } = (await api.call('POST', '/v1/endpoints', { body: ENDPOINT })).body;
    const [a, b] = [await post(`/v1/endpoints/${id}/test`), await post(`/v1/endpoints/${id}/test`)];
    expect([a.status, b.status, b.body.eventId]).toEqual([202, 202, a.body.eventId]);
    expect(api.hints.of('dispatch')).toHaveLength(1);
  });

  test('polls a request once', async () => {
    const requestId = uuid('polled by a key');
    await api.call('POST', '/v1/requests', { body: { requestId } });
    api.hints.clear();
    const path = `/v1/requests/${requestId}/poll`;
    const [first, again] = [await post(path), await post(path)];
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    expect(api.hints.of('poll')).toHaveLength(1);
  });

  test('rotates the callback secret once', async () => {
    const path = '/v1/callback-secret/rotate';
    const [first, again] = [await post(path), await post(path)];
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    expect((await api.call('GET', '/v1/callback-secret')).body.secret).toBe(first.body.secret);
  });

  test('sends a delivery again once', async () => {
    const id = await delivered({ url: ENDPOINT.url });
    const path = `/v1/deliveries/${id}/retry`;
    const [first, again] = [await post(path), await post(path)];
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    expect(api.hints.of(GATE_LANE)).toHaveLength(1);
  });

  test('acknowledges once, and answers how many it was', async () => {
    const id = await delivered({ kind: 'pull' });
    const { endpointId, eventId } = (await api.call('GET', `/v1/deliveries/${id}`)).body;
    const path = `/v1/endpoints/${endpointId}/messages/ack`;
    const body = { ids: [eventId, 'msg_unknown'] };
    expect((await post(path, body)).body).toEqual({ acknowledged: 1 });
    expect((await post(path, body)).body).toEqual({ acknowledged: 1 });
    expect((await api.call('POST', path, { body })).body).toEqual({ acknowledged: 0 });
  });

  test('with another body, or another query, is a conflict', async () => {
    const requestId = uuid('conflict');
    await post('/v1/requests', { requestId });
    for (const [path, body] of [
      ['/v1/requests', { requestId, copy: false }],
      ['/v1/requests?restart=true', { requestId }],
    ] as const) {
      const answer = await post(path, body);
      expect([answer.status, answer.body.errors[0].path]).toEqual([409, 'Idempotency-Key']);
    }
  });

  test('is another key on another path', async () => {
    const [a, b] = await Promise.all(
      [1, 2].map(async () => (await api.call('POST', '/v1/endpoints', { body: ENDPOINT })).body.id),
    );
    const answers = [await post(`/v1/endpoints/${a}/test`), await post(`/v1/endpoints/${b}/test`)];
    expect(answers[0]?.body.eventId).not.toBe(answers[1]?.body.eventId);
  });

  test('is forgotten after 24 hours', async () => {
    const first = await post('/v1/endpoints', ENDPOINT);
    api.clock.now += 86_401_000;
    const later = await post('/v1/endpoints', { ...ENDPOINT, description: 'new' });
    expect(later.status).toBe(201);
    expect(later.body.id).not.toBe(first.body.id);
  });
});

test('a refused call leaves the key free', async () => {
  expect((await post('/v1/endpoints', { url: 'nope' })).status).toBe(400);
  expect((await post('/v1/endpoints', ENDPOINT)).status).toBe(201);
});

test('a batch is kept item by item', async () => {
  const [a, b] = [uuid('batch a'), uuid('batch b')];
  const statuses = (answer: { body: { items: { status: number }[] } }) =>
    answer.body.items.map(({ status }) => status);
  expect(statuses(await post('/v1/requests/batch', { items: [{ requestId: a }] }))).toEqual([201]);
  const again = await post('/v1/requests/batch', { items: [{ requestId: a }, { requestId: b }] });
  expect(statuses(again)).toEqual([201, 201]);
  const other = await post('/v1/requests/batch', { items: [{ requestId: a, copy: false }] });
  expect(statuses(other)).toEqual([409]);
});

test('a batch with the key of a request that was purged since does not say that it is tracked', async () => {
  const [purged, kept] = [uuid('batch purged'), uuid('batch kept')];
  const items = [{ requestId: purged }, { requestId: kept }];
  const first = await post('/v1/requests/batch', { items });
  expect(first.body.items).toMatchObject([{ status: 201 }, { status: 201 }]);
  await api.call('DELETE', `/v1/requests/${purged}?purge=true`);
  const again = await post('/v1/requests/batch', { items });
  expect(again.body.items).toMatchObject([
    { requestId: purged, status: 409, error: { errors: [{ path: 'Idempotency-Key' }] } },
    { requestId: kept, status: 201 },
  ]);
});

test('a key too long, or with other characters, is refused', async () => {
  for (const wrong of ['k'.repeat(256), 'schlüssel', ' ']) {
    const answer = await post('/v1/endpoints', ENDPOINT, wrong);
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'Idempotency-Key']);
  }
  expect((await post('/v1/endpoints', ENDPOINT, 'k'.repeat(255))).status).toBe(201);
});

test('no secret is kept with a key', async () => {
  const { body } = await post('/v1/endpoints', ENDPOINT);
  const rotated = await post(`/v1/endpoints/${body.id}/secret/rotate`);
  const rows = await allRows();
  for (const { secret } of [body, rotated.body]) {
    expect(rows).not.toContain(secret);
    expect(rows).not.toContain(secret.slice('whsec_'.length, 30));
  }
});
