import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { log } from '../../../../lambdas/adapters/lambda/log.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { type Client, createClient, READER, uuid } from '../call-api.ts';

const database = useDatabase();
let api: Client;

beforeAll(() => {
  api = createClient(database(), { shared: true });
});

const post = (body: unknown) => api.call('POST', '/v1/requests', { body });
const requestId = uuid('http');

describe('keys', () => {
  test('health and the document need none', async () => {
    for (const path of ['/healthz', '/v1/openapi.json']) {
      expect((await api.call('GET', path, { key: null })).status).toBe(200);
    }
  });

  test('a call without a key, or with an unknown one, is refused with a challenge', async () => {
    const none = await api.call('GET', '/v1/requests', { key: null });
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(none.headers['content-type']).toBe('application/problem+json');
    const unknown = await api.call('GET', '/v1/requests', { key: 'admin-kez' });
    expect([unknown.status, unknown.headers['www-authenticate']]).toEqual([
      401,
      'Bearer error="invalid_token"',
    ]);
    const basic = await api.call('GET', '/v1/requests', {
      key: null,
      headers: { authorization: 'Basic YTpi' },
    });
    expect(basic.status).toBe(401);
  });

  test('a reader may read, and neither change anything nor see secrets', async () => {
    expect((await api.call('GET', '/v1/requests', { key: READER })).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/v1/requests'],
      ['DELETE', `/v1/requests/${requestId}`],
      ['GET', '/v1/callback-secret'],
      ['GET', '/v1/endpoints/ep_x/secret'],
    ] as const) {
      expect((await api.call(method, path, { key: READER })).status).toBe(403);
    }
  });

  test('a malformed secret of keys is our failure, told to the log by the id of the call, and not quoted', async () => {
    const told = vi.spyOn(log, 'error').mockImplementation(() => {});
    onTestFinished(() => void told.mockRestore());
    for (const apiKeys of ['no json', 'null', '{}', '{"keys":"all"}', '{"firstKey":""}']) {
      const broken = createClient(database(), { apiKeys });
      const answer = await broken.call('GET', '/v1/requests');
      expect(answer.status).toBe(500);
      expect(JSON.stringify(answer.body)).not.toContain('keys');
      const [line, said] = told.mock.lastCall as [string, { error: Error }];
      expect([line, said]).toEqual([
        'call failed',
        { callId: expect.stringMatching(/./), method: 'GET', error: expect.any(Error) },
      ]);
      expect(said.error.message).not.toContain(apiKeys);
    }
  });

  test('the log names the request of a call that failed, and no other parameter of its path', async () => {
    const told = vi.spyOn(log, 'error').mockImplementation(() => {});
    onTestFinished(() => void told.mockRestore());
    const broken = createClient(database(), { apiKeys: 'no json' });
    await broken.call('GET', `/v1/requests/${requestId}`);
    expect(told.mock.lastCall).toMatchObject(['call failed', { requestId }]);
    await broken.call('GET', '/v1/endpoints/ep_4711/secret');
    expect(JSON.stringify(told.mock.lastCall)).not.toContain('4711');
  });

  test('the generated first key is an admin, with and without keys beside it', async () => {
    for (const keys of [undefined, [], [{ id: 'reader', key: READER, role: 'read' }]]) {
      const fresh = createClient(database(), { apiKeys: JSON.stringify({ keys, firstKey: 'generated' }) });
      expect((await fresh.call('GET', '/v1/callback-secret', { key: 'generated' })).status).toBe(200);
      const reader = await fresh.call('GET', '/v1/requests', { key: READER });
      expect(reader.status).toBe(keys?.length ? 200 : 401);
    }
  });

  test('a malformed key locks no other key out, and the log names it by its id alone', async () => {
    const told = vi.spyOn(log, 'error').mockImplementation(() => {});
    onTestFinished(() => void told.mockRestore());
    const malformed = [
      { id: 'empty', key: '', role: 'admin' },
      { id: 'role', key: 'of-no-role', role: 'owner' },
      { key: 'without-id', role: 'admin' },
      'text',
      null,
    ];
    const apiKeys = JSON.stringify({ keys: [...malformed, { id: 'reader', key: READER, role: 'read' }] });
    const mixed = createClient(database(), { apiKeys });
    expect((await mixed.call('GET', '/v1/requests', { key: READER })).status).toBe(200);
    for (const key of ['of-no-role', 'without-id', 'text', 'null', 'undefined']) {
      expect((await mixed.call('GET', '/v1/requests', { key })).status).toBe(401);
    }
    expect(told.mock.calls.map(([, extra]) => extra)).toEqual([
      { place: 0, id: 'empty' },
      { place: 1, id: 'role' },
      { place: 2 },
      { place: 3 },
      { place: 4 },
    ]);
    expect(JSON.stringify(told.mock.calls)).not.toMatch(/of-no-role|without-id/);
  });
});

describe('the log', () => {
  test('has a line for each change, which names the request by the id that all stages log', async () => {
    const told = vi.spyOn(log, 'info').mockImplementation(() => {});
    onTestFinished(() => void told.mockRestore());
    const id = uuid('logged');
    await api.call('POST', '/v1/requests', { body: { requestId: id } });
    await api.call('GET', `/v1/requests/${id}`);
    await api.call('POST', `/v1/requests/${id}/poll`);
    await api.call('DELETE', `/v1/requests/${id}`);
    const changes = told.mock.calls.map(([message, extra]) => [message, extra]);
    const caller = 'admin';
    expect(changes).toEqual([
      ['changed', { method: 'POST', route: '/v1/requests', caller, status: 201, requestId: id }],
      [
        'changed',
        { method: 'POST', route: '/v1/requests/{requestId}/poll', caller, status: 202, requestId: id },
      ],
      [
        'changed',
        { method: 'DELETE', route: '/v1/requests/{requestId}', caller, status: 204, requestId: id },
      ],
    ]);
  });
});

describe('routes', () => {
  test('an unknown path is 404, and a known one with another method 405 that says which it has', async () => {
    expect((await api.call('GET', '/v1/nothing')).status).toBe(404);
    const put = await api.call('PUT', '/v1/requests');
    expect([put.status, put.headers.allow]).toEqual([405, 'POST, GET, HEAD']);
    const item = await api.call('PATCH', `/v1/requests/${requestId}`);
    expect([item.status, item.headers.allow]).toEqual([405, 'GET, HEAD, DELETE']);
  });
});

describe('bodies', () => {
  test('over 256 KiB are too large, and in a batch over 1 MiB', async () => {
    const raw = (bytes: number) => JSON.stringify({ requestId, x: 'x'.repeat(bytes) });
    expect((await api.call('POST', '/v1/requests', { raw: raw(262_144) })).status).toBe(413);
    expect((await api.call('POST', '/v1/requests/batch', { raw: raw(262_144) })).status).toBe(400);
    expect((await api.call('POST', '/v1/requests/batch', { raw: raw(1_048_576) })).status).toBe(413);
  });

  test('of another type than JSON are refused', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect((await api.call('POST', '/v1/requests', { body: { requestId }, headers })).status).toBe(415);
  });

  test('may come in base64', async () => {
    const raw = new TextEncoder().encode(JSON.stringify({ requestId: uuid('base64') }));
    expect((await api.call('POST', '/v1/requests', { raw })).status).toBe(201);
  });

  test.each([
    ['no JSON', '{"requestId":'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['nothing', ''],
    ['no object', '[]'],
    ['a name that means something else', `{"requestId":"${requestId}","metadata":{"__proto__":"x"}}`],
  ])('that are %s are a problem of the input', async (_, raw) => {
    const answer = await api.call('POST', '/v1/requests', { raw });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400 });
    expect(answer.body.errors.length).toBeGreaterThan(0);
  });

  test('of calls that take none are refused', async () => {
    const answer = await api.call('POST', `/v1/requests/${requestId}/poll`, { body: { now: true } });
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'now']);
  });
});

describe('wrong fields are named with a remedy, and nothing is stored', () => {
  const pairs = (count: number, value = 'v') =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, value]));

  test.each([
    ['requestId', {}],
    ['requestId', { requestId: 7 }],
    ['requestId', { requestId: 'x'.repeat(36) }],
    ['callbackUrl', { requestId, callbackUrl: 'not a url' }],
    ['callbackUrl', { requestId, callbackUrl: 'http://hooks.example.com/' }],
    ['callbackUrl', { requestId, callbackUrl: 'https://127.0.0.1/' }],
    ['callbackUrl', { requestId, callbackUrl: `https://hooks.example.com/${'x'.repeat(2_048)}` }],
    ['callbackUrl', { requestId, callbackUrl: null }],
    [
      'events.1',
      { requestId, callbackUrl: 'https://hooks.example.com/', events: ['video.*', 'video.nothing'] },
    ],
    ['events', { requestId, callbackUrl: 'https://hooks.example.com/', events: [] }],
    ['events', { requestId, events: ['video.*'] }],
    ['metadata.a', { requestId, metadata: { a: 1 } }],
    ['metadata', { requestId, metadata: pairs(51) }],
    ['metadata', { requestId, metadata: pairs(50, 'v'.repeat(200)) }],
    [`metadata.${'k'.repeat(41)}`, { requestId, metadata: { ['k'.repeat(41)]: 'v' } }],
    ['metadata.a', { requestId, metadata: { a: 'v'.repeat(501) } }],
    ['metadata.a', { requestId, metadata: { a: '\ud800' } }],
    ['copy', { requestId, copy: 'yes' }],
    ['callback_url', { requestId, callback_url: 'https://hooks.example.com/' }],
  ])('%s', async (path, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
    expect(answer.body.errors[0].message).toMatch(/[:;] /);
    expect((await api.call('GET', `/v1/requests/${requestId}`)).status).toBe(404);
  });

  test('all of them at once', async () => {
    const answer = await post({ requestId: 'x', copy: 1, extra: true });
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([
      'requestId',
      'copy',
      'extra',
    ]);
  });

  test('in the query, too', async () => {
    for (const [query, path] of [
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=1.5', 'limit'],
      ['state=gone', 'state'],
      ['cursor=abc', 'cursor'],
      ['sort=asc', 'sort'],
    ]) {
      const answer = await api.call('GET', `/v1/requests?${query}`);
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, path]);
    }
  });

  test('a loopback callback is taken only where it is allowed', async () => {
    const local = createClient(database(), { allowLoopback: true });
    const body = { requestId: uuid('local'), callbackUrl: 'http://127.0.0.1:8080/hook' };
    expect((await local.call('POST', '/v1/requests', { body })).status).toBe(201);
  });
});

test('limits are taken to the last character', async () => {
  const value = 'v'.repeat(100);
  const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`.padEnd(40, '_'), value]));
  const callbackUrl = 'https://hooks.example.com/'.padEnd(2_048, 'x');
  const answer = await post({ requestId: uuid('limits'), callbackUrl, metadata });
  expect([answer.status, answer.body.metadata]).toEqual([201, metadata]);
});
