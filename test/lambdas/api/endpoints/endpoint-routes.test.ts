import { beforeEach, describe, expect, test } from 'vitest';
import type { EndpointRow } from '../../../../lambdas/domain/delivering/endpoint.ts';
import type { EventRow } from '../../../../lambdas/domain/events/event.ts';
import { parseEventId } from '../../../../lambdas/domain/ids.ts';
import {
  DELETED_ENDPOINTS,
  endpointCountsKey,
  endpointKey,
  eventKey,
  outboxKey,
} from '../../../../lambdas/domain/rows.ts';
import type { RowKey } from '../../../../lambdas/domain/work.ts';
import { createEndpoints } from '../../../../lambdas/rows/endpoints.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { type Answer, type Client, createClient, uuid } from '../call-api.ts';

const database = useDatabase();
const URL_A = 'https://hooks.example.com/a';
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let api: Client;

beforeEach(async () => {
  api = createClient(database());
  for (const { id } of (await api.call('GET', '/v1/endpoints?limit=100')).body.items) {
    await api.call('DELETE', `/v1/endpoints/${id}`);
  }
});

const create = (body: object = {}): Promise<Answer> =>
  api.call('POST', '/v1/endpoints', { body: { url: URL_A, ...body } });
const counts = async () => {
  const { endpoints, tellProgress } = (await database().table.get(endpointCountsKey)) as Record<
    string,
    unknown
  >;
  return { endpoints, tellProgress };
};

describe('creating', () => {
  test('answers the endpoint with its secret, which no other call but one shows', async () => {
    const { status, body } = await create();
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^ep_a/),
      kind: 'http',
      url: URL_A,
      events: ['video.*', 'endpoint.*'],
      description: '',
      enabled: true,
      ordered: false,
      headers: {},
      createdAt: '2026-11-23T20:00:00.000Z',
      health: { state: 'healthy' },
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    const { secret, ...endpoint } = body;
    expect((await api.call('GET', `/v1/endpoints/${body.id}`)).body).toEqual(endpoint);
    expect((await api.call('GET', '/v1/endpoints')).body).toEqual({ items: [endpoint] });
    expect((await api.call('GET', `/v1/endpoints/${body.id}/secret`)).body).toEqual({ secret });
  });

  test('takes an own secret, a limit, headers whose values stay hidden, and disabled ones', async () => {
    const { body } = await create({
      secret: SECRET,
      enabled: false,
      rateLimit: 2.5,
      ordered: true,
      description: 'a shop',
      headers: { 'X-Shop': 'hush' },
      events: ['video.complete', 'video.complete'],
    });
    expect(body).toMatchObject({
      secret: SECRET,
      enabled: false,
      health: { state: 'disabled' },
      rateLimit: 2.5,
      ordered: true,
      description: 'a shop',
      headers: { 'X-Shop': '***' },
      events: ['video.complete'],
    });
  });

  test.each([
    ['url', { url: undefined }],
    ['url', { url: 'https://169.254.169.254/' }],
    ['kind', { kind: 'callback' }],
    ['secret', { secret: 'whsec_c2hvcnQ=' }],
    ['secret', { secret: Buffer.alloc(32).toString('base64') }],
    ['rateLimit', { rateLimit: 0 }],
    ['headers.webhook-id', { headers: { 'webhook-id': 'x' } }],
    ['headers.Host', { headers: { Host: 'x' } }],
    ['headers.a b', { headers: { 'a b': 'x' } }],
    ['headers.a', { headers: { a: 'x\r\nb: y' } }],
    ['headers.A', { headers: { a: '1', A: '2' } }],
    ['headers', { headers: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, 'v'])) }],
    ['events.0', { events: ['*'] }],
    ['id', { id: 'ep_1' }],
  ])('refuses a wrong %s', async (path, body) => {
    const answer = await create(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  test('stops at one hundred, also for many at once', async () => {
    await database().table.write({ update: endpointCountsKey, set: { endpoints: 98 } });
    const answers = await Promise.all(Array.from({ length: 4 }, () => create()));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409]);
    await database().table.write({ update: endpointCountsKey, set: { endpoints: 2 } });
  });
});

describe('changing', () => {
  test('sets what is given and leaves the rest', async () => {
    const { body: created } = await create({ rateLimit: 5, headers: { a: '1', b: '2' } });
    const { body } = await api.call('PATCH', `/v1/endpoints/${created.id}`, {
      body: { description: 'new', rateLimit: null, headers: { b: '3' } },
    });
    expect(body).toMatchObject({ url: URL_A, description: 'new', headers: { b: '***' } });
    expect(body).not.toHaveProperty('rateLimit');
    const row = await database().table.get<EndpointRow>(endpointKey(created.id));
    expect(row?.headers).toEqual({ b: '3' });
  });

  test('a URL of another host does not take the values of headers along', async () => {
    const { body: created } = await create({ headers: { authorization: 'secret' } });
    const path = `/v1/endpoints/${created.id}`;
    const moved = { url: 'https://elsewhere.example/hook' };
    const { status, body } = await api.call('PATCH', path, { body: moved });
    expect([status, body.errors[0].path]).toEqual([400, 'headers']);
    expect((await api.call('PATCH', path, { body: { url: `${created.url}/2` } })).status).toBe(200);
    expect((await api.call('PATCH', path, { body: { ...moved, headers: {} } })).status).toBe(200);
    const row = await database().table.get<EndpointRow>(endpointKey(created.id));
    expect(row).toMatchObject({ ...moved, headers: {} });
  });

  test('disabling and enabling again forgives, and each is a new version of the state', async () => {
    const { body: created } = await create();
    const path = `/v1/endpoints/${created.id}`;
    const off = await api.call('PATCH', path, { body: { enabled: false } });
    expect(off.body).toMatchObject({
      enabled: false,
      disabledReason: 'disabled through the API',
      health: { state: 'disabled' },
    });
    const on = await api.call('PATCH', path, { body: { enabled: true } });
    expect(on.body).toMatchObject({ enabled: true, health: { state: 'healthy' } });
    expect(on.body).not.toHaveProperty('disabledReason');
    expect((await database().table.get<EndpointRow>(endpointKey(created.id)))?.stateVersion).toBe(2);
  });

  test('keeps count of the endpoints, and of those that want progress', async () => {
    const before = await counts();
    const { body: a } = await create({ events: ['progress.updated'] });
    const { body: b } = await create();
    expect(await counts()).toEqual({ endpoints: Number(before.endpoints) + 2, tellProgress: 1 });
    await api.call('PATCH', `/v1/endpoints/${b.id}`, { body: { events: ['progress.*'] } });
    await api.call('PATCH', `/v1/endpoints/${a.id}`, { body: { events: ['video.*'] } });
    expect((await counts()).tellProgress).toBe(1);
    await api.call('DELETE', `/v1/endpoints/${b.id}`);
    await api.call('DELETE', `/v1/endpoints/${a.id}`);
    expect(await counts()).toEqual({ ...before, tellProgress: 0 });
  });
});

test('a deleted endpoint is gone', async () => {
  const { body } = await create();
  expect((await api.call('DELETE', `/v1/endpoints/${body.id}`)).status).toBe(204);
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['GET', '/secret'],
    ['POST', '/test'],
  ] as const) {
    expect((await api.call(method, `/v1/endpoints/${body.id}${path}`)).status).toBe(404);
  }
});

test('a deleted endpoint is remembered while deliveries to it are kept, so that a purge finds them', async () => {
  const { body } = await create();
  await api.call('DELETE', `/v1/endpoints/${body.id}`);
  const { table } = database();
  expect(await createEndpoints(table).listDeleted()).toContain(body.id);
  const row = await table.get<RowKey & { expiresAt: number }>({ pk: DELETED_ENDPOINTS, sk: body.id });
  expect(row?.expiresAt).toBe((api.clock.now + 31 * 86_400_000) / 1_000);
});

test('lists go page by page, newest first', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    api.clock.now += 1;
    ids.unshift((await create()).body.id);
  }
  const first = await api.call('GET', '/v1/endpoints?limit=2');
  const rest = await api.call('GET', `/v1/endpoints?limit=2&cursor=${first.body.cursor}`);
  expect([...first.body.items, ...rest.body.items].map(({ id }) => id)).toEqual(ids);
  expect(rest.body).not.toHaveProperty('cursor');
  expect((await api.call('GET', '/v1/endpoints?kind=pull')).body).toEqual({ items: [] });
});

describe('callbacks', () => {
  test('are listed by their kind, have no secret of their own, and can be disabled', async () => {
    const body = { requestId: uuid('with callback'), callbackUrl: URL_A };
    const { callbacks } = (await api.call('POST', '/v1/requests', { body })).body;
    const id = callbacks[0].endpointId;
    const listed = await api.call('GET', '/v1/endpoints?kind=callback');
    expect(listed.body.items).toMatchObject([{ id, kind: 'callback', url: URL_A }]);
    expect((await api.call('GET', `/v1/endpoints/${id}/secret`)).status).toBe(409);
    expect(
      (await api.call('PATCH', `/v1/endpoints/${id}`, { body: { url: 'https://a.example.com' } })).status,
    ).toBe(400);
    const off = await api.call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: false } });
    expect(off.body.enabled).toBe(false);
  });
});

describe('rotating', () => {
  test('lets the old secret sign along until the overlap ends', async () => {
    const { body: created } = await create();
    const path = `/v1/endpoints/${created.id}/secret`;
    const { body } = await api.call('POST', `${path}/rotate`, { body: { overlapHours: 2, secret: SECRET } });
    expect(body).toEqual({ secret: SECRET });
    expect((await api.call('GET', path)).body).toEqual({
      secret: SECRET,
      previous: { secret: created.secret, expiresAt: '2026-11-23T22:00:00.000Z' },
    });
    api.clock.now += 2 * 3_600_000;
    expect((await api.call('GET', path)).body).toEqual({ secret: SECRET });
  });

  test('without a body makes a secret and overlaps for a day', async () => {
    const { body: created } = await create();
    const { body } = await api.call('POST', `/v1/endpoints/${created.id}/secret/rotate`);
    expect(body.secret).toMatch(/^whsec_/);
    expect(body.secret).not.toBe(created.secret);
    const { previous } = (await api.call('GET', `/v1/endpoints/${created.id}/secret`)).body;
    expect(previous.expiresAt).toBe('2026-11-24T20:00:00.000Z');
  });

  test('the callback secret is made when first asked for, and rotates alike', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => api.call('GET', '/v1/callback-secret')));
    expect(a?.body).toEqual(b?.body);
    const { body } = await api.call('POST', '/v1/callback-secret/rotate', { body: {} });
    expect(body).toEqual({
      secret: expect.stringMatching(/^whsec_/),
      previous: { secret: a?.body.secret, expiresAt: '2026-11-24T20:00:00.000Z' },
    });
    expect((await api.call('GET', '/v1/callback-secret')).body).toEqual(body);
  });
});

test('a test event goes to its endpoint alone, and counts on', async () => {
  const { body: created } = await create();
  const source = { kind: 'endpoint', endpointId: created.id } as const;
  for (const position of [1, 2]) {
    const { status, body } = await api.call('POST', `/v1/endpoints/${created.id}/test`);
    expect(status).toBe(202);
    expect(parseEventId(body.eventId)).toMatchObject({ source, position });
    const event = await database().table.get<EventRow>(eventKey(source, position));
    expect(event).toMatchObject({ id: body.eventId, type: 'endpoint.test', onlyTo: created.id });
    const shown = await api.call('GET', `/v1/events/${body.eventId}`);
    expect(shown.body).toMatchObject({
      id: body.eventId,
      type: 'endpoint.test',
      data: { endpointId: created.id },
    });
  }
  expect(await database().table.get(outboxKey(source))).toMatchObject({
    lane: 'dispatch',
    position: 2,
    accountCursor: { position: 0 },
  });
  expect(api.hints.of('dispatch')).toHaveLength(2);
});
