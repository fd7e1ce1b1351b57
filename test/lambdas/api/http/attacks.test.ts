import { beforeEach, describe, expect, test } from 'vitest';
import type { EndpointRow } from '../../../../lambdas/domain/delivering/endpoint.ts';
import { numberEvents } from '../../../../lambdas/domain/events/event.ts';
import { countChanges } from '../../../../lambdas/domain/requests/request-counts.ts';
import { endpointKey, metaKey, requestKey } from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { deliveryRow } from '../../../support/rows.ts';
import { ADMIN, type Client, createClient, READER, uuid } from '../call-api.ts';

const database = useDatabase();
const URL_A = 'https://user-7.hooks.example.com/token-4711?key=secret';
let api: Client;
let requestId: string;
let tests = 0;

beforeEach(() => {
  api = createClient(database());
  requestId = uuid(`attacked ${++tests}`);
});

const register = (body: object) => api.call('POST', '/v1/requests', { body: { requestId, ...body } });
/** The n-th of the shortest names that JSON takes without escapes. */
const NAMES = Array.from({ length: 92 }, (_, n) => String.fromCharCode(35 + n)).filter((c) => c !== '\\');
const shortName = (n: number): string =>
  n < NAMES.length
    ? (NAMES[n] as string)
    : shortName(Math.floor(n / NAMES.length) - 1) + NAMES[n % NAMES.length];

const bytesOf = (body: unknown): number => Buffer.byteLength(JSON.stringify(JSON.stringify(body)));

describe('names that every object has', () => {
  const names = { constructor: 'a', toString: 'b', hasOwnProperty: 'c', valueOf: 'd' };

  test('are names like others in metadata', async () => {
    expect((await register({ metadata: names })).status).toBe(201);
    expect((await register({ metadata: names })).status).toBe(200);
    expect((await register({ metadata: {} })).status).toBe(409);
    expect((await api.call('GET', `/v1/requests/${requestId}`)).body.metadata).toEqual(names);
  });

  test('are names like others in custom headers', async () => {
    const { status, body } = await api.call('POST', '/v1/endpoints', {
      body: { url: URL_A, headers: { constructor: 'a', tostring: 'b' } },
    });
    expect(status).toBe(201);
    expect(body.headers).toEqual({ constructor: '***', tostring: '***' });
  });

  test.each(['constructor', '__proto__'])('count as unknown statuses: %s', (status) => {
    const request = { state: 'active', status, counted: true } as const;
    expect(countChanges(undefined, request)).toMatchObject([{ name: 'active:unrecognized', by: 1 }]);
  });

  test.each([
    ['POST', '/v1/requests', '{"__proto__": {"requestId": "x"}}'],
    ['POST', '/v1/requests', '{"metadata": {"__proto__": "x"}}'],
    ['GET', '/v1/requests?__proto__=x', undefined],
    ['GET', '/v1/requests?constructor=x', undefined],
    ['POST', '/v1/requests/batch', '{"items": [{}], "__proto__": 1}'],
  ])('are refused where they are unknown: %s %s', async (method, path, raw) => {
    expect((await api.call(method, path, raw ? { raw } : {})).status).toBe(400);
  });
});

test.each([
  ['', (item: string) => `{${item}, "__proto__": {"requestId": "x"}}`, '__proto__'],
  [
    ' of its metadata',
    (item: string) => `{${item}, "metadata": {"a": "b", "__proto__": "x"}}`,
    'metadata.__proto__',
  ],
])('a key "__proto__"%s refuses that item of a batch alone', async (_, hostile, path) => {
  const item = (n: number) => `"requestId": "${uuid(`${requestId} ${n}`)}"`;
  const raw = `{"items": [{${item(1)}}, ${hostile(item(2))}, {${item(3)}}]}`;
  const { status, body } = await api.call('POST', '/v1/requests/batch', { raw });
  expect([status, ...body.items.map((each: { status: number }) => each.status)]).toEqual([
    200, 201, 400, 201,
  ]);
  expect(body.items[1].error.errors).toMatchObject([{ path }]);
});

describe('answers stay far below what Lambda can send', () => {
  test('even when every field of a body is wrong', async () => {
    const headers = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`ä${n}`, '\n']));
    const answer = await api.call('POST', '/v1/endpoints', { body: { url: URL_A, headers } });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toHaveLength(20);
    expect(answer.body.detail).toMatch(/\d+ more fields are wrong/);
    expect(bytesOf(answer.body)).toBeLessThan(20_000);
  });

  test('though an item of a batch have 131,822 keys', async () => {
    const keys = Array.from({ length: 131_822 }, (_, n) => `"${shortName(n)}":1`).join(',');
    const { status, body } = await api.call('POST', '/v1/requests/batch', { raw: `{"items":[{${keys}}]}` });
    expect([status, body.items[0].status]).toEqual([200, 400]);
    expect(body.items[0].error.errors).toHaveLength(20);
    expect(bytesOf(body)).toBeLessThan(20_000);
  });

  test('though the items of a batch have long names and ids', async () => {
    const items = [{ ['k'.repeat(2e5)]: 1 }, { requestId: 'i'.repeat(2e5) }];
    const { status, body } = await api.call('POST', '/v1/requests/batch', { body: { items } });
    expect(status).toBe(200);
    expect(body.items).toMatchObject([
      { requestId: null, status: 400 },
      { requestId: null, status: 400 },
    ]);
    expect(bytesOf(body)).toBeLessThan(20_000);
  });

  test('even when a page of requests is large: it ends earlier, and its cursor goes on', async () => {
    const ids = Array.from({ length: 60 }, (_, n) => uuid(`large ${n}`));
    const client = createClient(database(), { startAt: Date.UTC(2031, 0, 1) });
    await client.call('POST', '/v1/requests/batch', {
      body: { items: ids.map((id) => ({ requestId: id })) },
    });
    const processingJobs = Array.from({ length: 100 }, () => ({ name: '"'.repeat(500) }));
    for (const id of ids) await database().table.write({ update: metaKey(id), set: { processingJobs } });
    const seen = new Set<string>();
    let path = '/v1/requests?limit=100&state=active';
    for (let cursor = ''; seen.size < 60; path = `/v1/requests?limit=100&state=active&cursor=${cursor}`) {
      const { body } = await client.call('GET', path);
      expect(bytesOf(body)).toBeLessThan(5_000_000);
      expect(body.items.length).toBeGreaterThan(0);
      for (const { requestId: id } of body.items) if (ids.includes(id)) seen.add(id);
      cursor = body.cursor;
    }
    expect([...seen].sort()).toEqual(ids.sort());
  });
});

describe('keys that only read', () => {
  test('see the origins of URLs, whose rest may be a token', async () => {
    await register({ callbackUrl: URL_A });
    const { body: endpoint } = await api.call('POST', '/v1/endpoints', { body: { url: URL_A } });
    const paths = [
      `/v1/requests/${requestId}`,
      '/v1/requests',
      `/v1/endpoints/${endpoint.id}`,
      '/v1/endpoints',
      '/v1/endpoints?kind=callback',
      `/v1/requests/${requestId}/timeline`,
    ];
    for (const path of paths) {
      const seen = JSON.stringify((await api.call('GET', path, { key: READER })).body);
      expect(seen, path).not.toMatch(/token-4711|key=secret/);
    }
    const read = await api.call('GET', `/v1/requests/${requestId}`, { key: READER });
    expect(read.body.callbacks[0].url).toBe('https://user-7.hooks.example.com/…');
    const admin = await api.call('GET', `/v1/requests/${requestId}`, { key: ADMIN });
    expect(admin.body.callbacks[0].url).toBe(URL_A);
  });

  test('see the origins of URLs in what a receiver answered, too', async () => {
    const { body: endpoint } = await api.call('POST', '/v1/endpoints', { body: { url: URL_A } });
    await register({});
    const { table } = database();
    const source = { kind: 'request', requestId } as const;
    const draft = { type: 'video.processing' as const, data: {} };
    const { rows } = numberEvents(source, { sequence: 0, position: 0 }, [draft], api.clock.now);
    const row = deliveryRow(rows[0]!, (await table.get<EndpointRow>(endpointKey(endpoint.id)))!);
    const reason = `The endpoint answered 301, a redirect to ${URL_A}, which is not followed: use that URL instead.`;
    const page = '<pre>Cannot POST /token-4711?key=secret</pre> {"path":"/token-4711"} at 11/27';
    const attempts = [
      { at: 0, durationMs: 1, statusCode: 301, reason, body: `<a href="${URL_A}">here</a>${page}` },
    ];
    await table.transact([{ put: rows[0]! }, { put: { ...row, attempts } }]);

    const paths = [
      `/v1/deliveries/${row.id}`,
      `/v1/endpoints/${endpoint.id}/deliveries`,
      `/v1/requests/${requestId}/timeline`,
    ];
    for (const path of paths) {
      const seen = JSON.stringify((await api.call('GET', path, { key: READER })).body);
      expect(seen, path).not.toMatch(/token-4711|key=secret/);
      expect(seen, path).toContain('a redirect to https://user-7.hooks.example.com/…, which');
      expect(seen, path).toContain('https://user-7.hooks.example.com/…\\">here');
      expect(seen, path).toContain('<pre>Cannot POST /…</pre> {\\"path\\":\\"/…\\"} at 11/27');
      const shown = JSON.stringify((await api.call('GET', path, { key: ADMIN })).body);
      expect(shown, path).toContain(reason);
    }
  });

  test('fetch no messages', async () => {
    const { body } = await api.call('POST', '/v1/endpoints', { body: { kind: 'pull' } });
    const answer = await api.call('GET', `/v1/endpoints/${body.id}/messages`, { key: READER });
    expect([answer.status, answer.body.detail]).toEqual([403, expect.stringContaining('"consumer"')]);
  });
});

test('a key with the role consumer fetches and acknowledges the messages of its endpoint, and nothing else', async () => {
  const { id } = (await api.call('POST', '/v1/endpoints', { body: { kind: 'pull' } })).body;
  const other = (await api.call('POST', '/v1/endpoints', { body: { kind: 'pull' } })).body;
  const keys = [{ id: 'client', key: 'consumer-key', role: 'consumer', endpointId: id }];
  const client = createClient(database(), { apiKeys: JSON.stringify({ keys }) });
  const call = async (method: string, path: string, body?: object) =>
    (await client.call(method, path, { body, key: 'consumer-key' })).status;
  expect(await call('GET', `/v1/endpoints/${id}/messages`)).toBe(200);
  expect(await call('POST', `/v1/endpoints/${id}/messages/ack`, { ids: ['msg_1'] })).toBe(200);
  for (const path of [
    `/v1/endpoints/${other.id}/messages`,
    `/v1/endpoints/${id}`,
    `/v1/endpoints/${id}/secret`,
    '/v1/requests',
  ]) {
    expect(await call('GET', path), path).toBe(403);
  }
  expect(await call('POST', '/v1/requests', { requestId })).toBe(403);
});

test('at most two calls wait for messages of an endpoint, until one of them ends', async () => {
  let waiting = 0;
  const over = Promise.withResolvers<void>();
  const client = createClient(database(), {
    sleep: async () => {
      waiting++;
      await over.promise;
      client.clock.now = Math.max(client.clock.now, end);
    },
  });
  let end = client.clock.now + 20_000;
  const { id } = (await client.call('POST', '/v1/endpoints', { body: { kind: 'pull' } })).body;
  const wait = () => client.call('GET', `/v1/endpoints/${id}/messages?wait=20`);
  const first = [wait(), wait()];
  while (waiting < 2) await new Promise(setImmediate);
  const third = await wait();
  expect([third.status, third.headers['retry-after']]).toEqual([429, '1']);
  expect((await client.call('GET', `/v1/endpoints/${id}/messages`)).status).toBe(200);
  over.resolve();
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
  // At once: places that were not given back would be taken for some seconds more.
  end += 20_000;
  expect((await wait()).status).toBe(200);
});

test('of all endpoints, no more calls wait than the setting says, though they begin at once', async () => {
  const over = Promise.withResolvers<void>();
  const client = createClient(database(), {
    maxWaits: 3,
    sleep: async () => {
      await over.promise;
      client.clock.now += 20_000;
    },
  });
  // Places that calls of other tests did not leave are free again.
  client.clock.now += 60_000;
  const endpoints = await Promise.all(
    Array.from({ length: 8 }, () => client.call('POST', '/v1/endpoints', { body: { kind: 'pull' } })),
  );
  const refused: string[] = [];
  const calls = endpoints.map(async ({ body: { id } }) => {
    const { status, body } = await client.call('GET', `/v1/endpoints/${id}/messages?wait=20`);
    if (status === 429 && refused.push(body.detail) === 5) over.resolve();
    return status;
  });
  expect((await Promise.all(calls)).sort()).toEqual([200, 200, 200, 429, 429, 429, 429, 429]);
  expect(refused[0]).toMatch(/^3 calls already wait .*`maxWaits`/);
});

describe('ids that are none', () => {
  test.each([[''], ['m'.repeat(1_100)], ['msg_\0'], ['rpl_1']])(
    'to acknowledge are refused: %j',
    async (id) => {
      const { body } = await api.call('POST', '/v1/endpoints', { body: { kind: 'pull' } });
      const answer = await api.call('POST', `/v1/endpoints/${body.id}/messages/ack`, { body: { ids: [id] } });
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'ids.0']);
    },
  );

  test.each([
    '/v1/replays/',
    '/v1/events/',
    '/v1/deliveries/',
    '/v1/endpoints/',
    '/v1/requests/',
    '/v1/links/',
  ])('are not found: %s', async (path) => {
    for (const id of ['x', 'rpl_x', 'x'.repeat(3_000), 'ep_a', 'msg_0', 'dlv_0', '%00', 'prk_']) {
      expect((await api.call('GET', path + id)).status, id.slice(0, 10)).toBe(404);
    }
  });
});

describe('markup that an answer repeats is no page for a browser', () => {
  const markup = '<script>alert(1)</script>';
  const encoded = encodeURIComponent(markup);
  test.each<[string, string, object?]>([
    ['GET', `/v1/${markup}`],
    ['GET', `/v1/requests/${encoded}`],
    ['DELETE', `/v1/requests?${encoded}=1`],
    ['GET', `/v1/requests?state=${encoded}`],
    ['GET', `/v1/links/${encoded}`],
    ['POST', '/v1/requests', { [markup]: 1 }],
    ['POST', '/v1/endpoints', { url: `https://${markup}/` }],
    ['POST', '/v1/endpoints', { url: URL_A, events: [markup] }],
    ['POST', '/v1/endpoints', { url: URL_A, description: markup }],
  ])('%s %s %j', async (method, path, body) => {
    const { status, headers } = await api.call(method, path, { body });
    expect(headers['content-type']).toMatch(/^application\/(problem\+)?json$/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(status).toBeLessThan(500);
    expect(Object.values(headers).join()).not.toContain('<');
  });
});

test('an idempotency key is the same with a slash behind the path', async () => {
  const create = (path: string) =>
    api.call('POST', path, { body: { url: URL_A }, headers: { 'idempotency-key': requestId } });
  const [one, other] = [await create('/v1/endpoints'), await create('/v1/endpoints/')];
  expect(other.body.id).toBe(one.body.id);
});

test('an idempotency key that is sent twice is one key, and two keys are another', async () => {
  const create = (header: string) =>
    api.call('POST', '/v1/endpoints', { body: { url: URL_A }, headers: { 'idempotency-key': header } });
  const [one, twice] = [await create(requestId), await create(`${requestId},${requestId}`)];
  expect([twice.status, twice.body.id]).toEqual([201, one.body.id]);
  // As proxies join them.
  expect((await create(`${requestId}, ${requestId}`)).body.id).toBe(one.body.id);
  expect((await create(`${requestId},other`)).body.id).not.toBe(one.body.id);
});

test('the idempotency key of what is deleted makes nothing again, and says so', async () => {
  const headers = { 'idempotency-key': requestId };
  const request = () => api.call('POST', '/v1/requests', { body: { requestId }, headers });
  await request();
  await api.call('DELETE', `/v1/requests/${requestId}?purge=true`);
  const endpoint = () => api.call('POST', '/v1/endpoints', { body: { url: URL_A }, headers });
  await api.call('DELETE', `/v1/endpoints/${(await endpoint()).body.id}`);
  for (const { status, body } of [await request(), await endpoint()]) {
    expect([status, body.errors[0].path]).toEqual([409, 'Idempotency-Key']);
    expect(body.detail).toContain('send a new key');
  }
});

test.each([1e-130, 0.0009, -1, 0, 1_001])('a rate limit of %d a second is refused', async (rateLimit) => {
  const { status, body } = await api.call('POST', '/v1/endpoints', { body: { url: URL_A, rateLimit } });
  expect([status, body.errors[0].path]).toEqual([400, 'rateLimit']);
});

test('NUL in metadata or a description is refused with the remedy', async () => {
  const { status, body } = await register({ metadata: { a: 'b\0c', 'd\0': 'e' } });
  expect(status).toBe(400);
  expect(body.errors).toEqual([
    { path: 'metadata.a', message: expect.stringContaining('NUL') },
    { path: 'metadata.d\0', message: expect.stringContaining('NUL') },
  ]);
});

test('metadata counts as JSON writes it, so that no payload outgrows its 20 kB', async () => {
  const pairs = (value: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, value]));
  const { status, body } = await register({ metadata: pairs('\u0001'.repeat(200), 10) });
  expect([status, body.errors[0].path]).toEqual([400, 'metadata']);
  expect(body.errors[0].message).toContain('escaped');
  expect((await register({ metadata: pairs('x'.repeat(200), 40) })).status).toBe(201);
});

test('a search finds requests by id, metadata and error texts, in any case', async () => {
  const client = createClient(database(), { startAt: Date.UTC(2032, 0, 1) });
  const ids = ['x', 'y', 'z'].map((name) => uuid(`sought ${name}`));
  for (const id of ids) {
    await client.call('POST', '/v1/requests', { body: { requestId: id, metadata: { order: `Nr-${id}` } } });
  }
  const [first = '', second = '', third = ''] = ids;
  await database().table.write({ update: requestKey(second), set: { message: 'No Space LEFT' } });
  await database().table.write({
    update: requestKey(third),
    set: { video: { state: 'failed', error: 'disk on fire' } },
  });
  const found = async (q: string) =>
    (await client.call('GET', `/v1/requests?q=${encodeURIComponent(q)}`)).body.items.map(
      (item: { requestId: string }) => item.requestId,
    );
  expect(await found(first.slice(0, 12).toUpperCase())).toEqual([first]);
  expect(await found(`nr-${first}`)).toEqual([first]);
  expect(await found('space left')).toEqual([second]);
  expect(await found('ON FIRE')).toEqual([third]);
  expect(await found('nothing has this')).toEqual([]);
});
