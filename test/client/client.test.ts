import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ApiError, type Client, ConnectionError, createClient } from '../../client/client.ts';
import { createConformance } from '../lambdas/api/openapi/conformance.ts';
import { type LocalBridge, READ_KEY, startLocalBridge } from '../support/local-bridge.ts';

const MAX_WAIT = { timeout: 60_000, interval: 100 };
const DONE = { statuses: [['complete', 0]], progress: [[0, 100]] };

let bridge: LocalBridge;
let client: Client;
/** The answers so far, with the operation of the document that each belongs to. */
const answers: { operation: string; difference: unknown }[] = [];
let operations: string[];

beforeAll(async () => {
  bridge = await startLocalBridge();
  const document = await createClient({ url: bridge.apiUrl }).openApi();
  const differences = createConformance(document);
  const paths = Object.entries(document.paths as Record<string, object>);
  operations = paths.flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  client = createClient({
    url: bridge.apiUrl,
    key: bridge.apiKey,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const { pathname } = new URL(String(input));
      const method = init?.method ?? 'GET';
      const path = paths
        .map(([each]) => each)
        .sort((a, b) => a.split('{').length - b.split('{').length)
        .find((each) => new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname));
      const text = await response.clone().text();
      answers.push({
        operation: `${method} ${path}`,
        difference: differences(method, path ?? '', {
          status: response.status,
          headers: Object.fromEntries(response.headers),
          body: text === '' ? undefined : JSON.parse(text),
        }),
      });
      return response;
    },
  });
}, 120_000);
afterAll(async () => {
  await bridge?.stop();
});

test('every call of the document can be made, and every answer is as the document says', {
  timeout: 120_000,
}, async () => {
  const requestId = await bridge.setJob({ trace: DONE });
  const endpoint = await client.endpoints.create({ kind: 'http', url: 'http://127.0.0.1:9/hooks' });
  const registered = await client.requests.register({ requestId, metadata: { order: '42' } });
  expect(registered).toMatchObject({ state: 'active', metadata: { order: '42' } });
  await client.requests.poll(requestId).catch(() => undefined);

  const stored = await vi.waitFor(async () => {
    const request = await client.requests.get(requestId);
    expect(request.video?.state).toBe('stored');
    return request;
  }, MAX_WAIT);
  const { url } = await client.requests.video(requestId, { inline: true });
  expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(stored.video?.size);
  const events = await Array.fromAsync(client.requests.events(requestId));
  expect(events.map(({ type }) => type)).toContain('video.stored');
  expect(await client.events.get(events[0]?.id ?? '')).toEqual(events[0]);
  await vi.waitFor(async () => {
    expect(await Array.fromAsync(client.events.list({ type: 'video.*' }))).toEqual(events.toReversed());
  }, MAX_WAIT);
  const timeline = await client.requests.timeline(requestId);
  expect(timeline.statuses.at(-1)?.status).toBe('complete');

  const { eventId } = await client.endpoints.test(endpoint.id);
  const delivery = await vi.waitFor(async () => {
    const all = await Array.fromAsync(client.endpoints.deliveries(endpoint.id));
    const found = all.find((each) => each.eventId === eventId && each.attemptCount > 0);
    expect(found?.attempts[0]?.reason).toContain('refused');
    return found;
  }, MAX_WAIT);
  expect((await client.deliveries.get(delivery?.id ?? '')).eventId).toBe(eventId);
  await client.deliveries.retry(delivery?.id ?? '');
  const since = new Date(0).toISOString();
  const { replayId } = await client.endpoints.replay(endpoint.id, { since, state: 'all' });
  expect((await client.replays.get(replayId)).endpointId).toBe(endpoint.id);

  expect((await client.endpoints.secret(endpoint.id)).secret).toBe(endpoint.secret);
  const rotated = await client.endpoints.rotateSecret(endpoint.id);
  expect(rotated.secret).not.toBe(endpoint.secret);
  expect(await client.endpoints.change(endpoint.id, { enabled: false })).toMatchObject({ enabled: false });
  expect(await client.endpoints.get(endpoint.id)).toMatchObject({ enabled: false });
  expect(await Array.fromAsync(client.endpoints.list({ kind: 'http' }))).toHaveLength(1);
  await client.endpoints.delete(endpoint.id);

  const pull = await client.endpoints.create({ kind: 'pull' });
  const sent = await client.endpoints.test(pull.id);
  await vi.waitFor(
    async () => expect((await client.endpoints.messages(pull.id)).items).toHaveLength(1),
    MAX_WAIT,
  );
  expect(await client.endpoints.acknowledge(pull.id, [sent.eventId])).toEqual({ acknowledged: 1 });

  const { secret } = await client.callbackSecret.get();
  expect((await client.callbackSecret.rotate()).previous?.secret).toBe(secret);
  expect((await client.stats()).requests.byState.done).toBe(1);
  expect((await client.history('1h')).range).toBe('1h');
  expect((await client.doctor()).checks.map(({ name }) => name)).toContain('upstream');
  expect(await client.health()).toEqual({ status: 'ok' });
  expect(await client.whoami()).toEqual({ id: 'ada', role: 'admin' });
  await client.openApi();
  expect(await Array.fromAsync(client.parked.list())).toEqual([]);
  await expect(client.parked.release('prk_none')).rejects.toMatchObject({ status: 404 });

  const many = Array.from({ length: 201 }, () => ({ requestId: randomUUID() }));
  const results = await Array.fromAsync(client.requests.registerMany([...many, { requestId: 'none' }]));
  expect(results.filter(({ status }) => status === 201)).toHaveLength(201);
  expect(results.at(-1)).toMatchObject({ requestId: 'none', status: 400 });
  const listed = await Array.fromAsync(client.requests.list());
  expect(new Set(listed.map((each) => each.requestId)).size).toBe(202);
  const first = await client.requests.list({ state: 'active' }).page({ limit: 2 });
  const next = await client.requests.list({ state: 'active' }).page({ limit: 2, cursor: first.cursor });
  expect([...first.items, ...next.items]).toHaveLength(4);
  await client.requests.stop(requestId, { purge: true });

  // Links are for the receivers of webhooks, and answer with a redirect.
  const made = new Set(answers.map(({ operation }) => operation));
  expect(operations.filter((each) => !made.has(each))).toEqual(['GET /v1/links/{token}']);
  expect(answers.filter(({ difference }) => difference !== null)).toEqual([]);
});

test('a refusal carries the problem details, and is as the document says', async () => {
  const problem = await client.requests.register({ requestId: 'none' }).catch((error: ApiError) => error);
  expect(problem).toBeInstanceOf(ApiError);
  expect(problem).toMatchObject({
    status: 400,
    call: 'POST /v1/requests',
    problem: { errors: [{ path: 'requestId' }] },
  });
  const lists = { limit: 1_000 };
  await expect(client.requests.list().page(lists)).rejects.toMatchObject({ status: 400 });
  await expect(client.requests.get(randomUUID())).rejects.toMatchObject({ status: 404 });
  await expect(client.endpoints.secret('ep_none')).rejects.toMatchObject({ status: 404 });
  const idempotencyKey = randomUUID();
  await client.endpoints.create({ kind: 'pull' }, { idempotencyKey });
  await expect(
    client.endpoints.create({ kind: 'pull', description: 'other' }, { idempotencyKey }),
  ).rejects.toMatchObject({ status: 409 });
  const reader = createClient({ url: bridge.apiUrl, key: READ_KEY });
  expect(await reader.whoami()).toEqual({ id: 'guest', role: 'read' });
  await expect(reader.endpoints.create({ kind: 'pull' })).rejects.toMatchObject({ status: 403 });
  const stranger = createClient({ url: bridge.apiUrl, key: 'none' });
  await expect(stranger.stats()).rejects.toMatchObject({ status: 401 });
  expect(answers.filter(({ difference }) => difference !== null)).toEqual([]);
});

describe('when answers are lost or put off', () => {
  const ok = () => new Response('{"items":[]}', { status: 200 });
  const busy = (headers: Record<string, string> = {}) =>
    new Response('{"detail":"too many calls"}', { status: 429, headers });

  /** A client whose attempts are answered in turn, and what it did. */
  function against(...attempts: (() => Response | Promise<Response>)[]) {
    const sent: RequestInit[] = [];
    const waits: number[] = [];
    const far = createClient({
      url: 'http://bridge.example',
      random: () => 1,
      now: () => Date.UTC(2026, 10, 23),
      sleep: async (ms) => void waits.push(ms),
      fetch: async (_url, init = {}) => {
        sent.push(init);
        return (attempts[sent.length - 1] ?? ok)();
      },
    });
    return {
      far,
      sent,
      waits,
      keys: () => sent.map(({ headers }) => new Headers(headers).get('idempotency-key')),
    };
  }
  const lost = () => Promise.reject(new TypeError('fetch failed'));

  test('a call is repeated with growing pauses, a POST under the same key', async () => {
    const { far, waits, keys } = against(lost, () => new Response('<html>', { status: 502 }), lost);
    await far.requests.register({ requestId: randomUUID() });
    expect(waits).toEqual([250, 500, 1000]);
    expect(new Set(keys()).size).toBe(1);
    expect(keys()[0]).toMatch(/^[\w-]{36}$/);
  });

  test('the pause that an answer asks for is kept, in seconds or until a time', async () => {
    const { far, waits } = against(
      () => busy({ 'retry-after': '7' }),
      () => busy({ 'retry-after': 'Mon, 23 Nov 2026 00:00:11 GMT' }),
    );
    await far.requests.list().page();
    expect(waits).toEqual([7_000, 11_000]);
  });

  test('a pause that is too long, and the last attempt, end with the error', async () => {
    const asked = against(() => busy({ 'retry-after': '3600' }));
    await expect(asked.far.stats()).rejects.toMatchObject({ status: 429, retryAfterMs: 3_600_000 });
    expect(asked.waits).toEqual([]);
    const gone = against(lost, lost, lost, lost);
    const error = await gone.far.stats().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as Error).message).toContain('fetch failed');
    expect(gone.sent).toHaveLength(4);
  });

  test('a refusal is not repeated', async () => {
    const { far, sent } = against(() => new Response('{"detail":"no"}', { status: 409 }));
    await expect(far.endpoints.delete('ep_1')).rejects.toThrow('no');
    expect(sent).toHaveLength(1);
  });

  test('a deletion whose answer was lost has succeeded when nothing is left', async () => {
    const { far } = against(lost, () => new Response('{"detail":"none"}', { status: 404 }));
    await expect(far.endpoints.delete('ep_1')).resolves.toBeUndefined();
  });

  test('items of a batch that fail for a reason that passes are sent again alone', async () => {
    const answer = (...statuses: number[]) =>
      new Response(JSON.stringify({ items: statuses.map((status) => ({ requestId: 'x', status })) }));
    const { far, sent } = against(
      () => answer(201, 429, 409),
      () => answer(200),
    );
    const items = ['a', 'b', 'c'].map((requestId) => ({ requestId }));
    const results = await Array.fromAsync(far.requests.registerMany(items));
    expect(results.map(({ status }) => status)).toEqual([201, 200, 409]);
    expect(JSON.parse(String(sent[1]?.body))).toEqual({ items: [{ requestId: 'b' }] });
  });

  test('a signal ends a call and the pause before its next attempt', async () => {
    const controller = new AbortController();
    const far = createClient({
      url: 'http://bridge.example',
      fetch: async () => {
        controller.abort(new Error('left the page'));
        return busy({ 'retry-after': '20' });
      },
    });
    await expect(far.stats({ signal: controller.signal })).rejects.toThrow('left the page');
    await expect(far.stats({ signal: controller.signal })).rejects.toThrow('left the page');
  });
});

test.each([
  [undefined, 'failed'],
  ['failed', 'failed'],
  ['all', null],
] as const)(
  'what a replay of %j would send is listed by the state %j, and has ended',
  async (state, asked) => {
    const since = '2026-11-23T20:00:00Z';
    const urls: URL[] = [];
    const states = ['pending', 'held', 'delivered', 'failed', 'canceled'];
    const far = createClient({
      url: 'http://bridge.example',
      fetch: async (url) => {
        urls.push(new URL(String(url)));
        return Response.json({ items: states.map((each) => ({ state: each })) });
      },
    });
    const listed = await Array.fromAsync(far.endpoints.toReplay('ep_1', { since, type: 'video.*', state }));
    expect(listed.map((each) => each.state)).toEqual(['delivered', 'failed']);
    const [{ pathname, searchParams } = new URL('http://none')] = urls;
    expect(pathname).toBe('/v1/endpoints/ep_1/deliveries');
    expect(['since', 'type', 'state'].map((name) => searchParams.get(name))).toEqual([
      since,
      'video.*',
      asked,
    ]);
  },
);

test.each(['', '.', '..', '../endpoints', '..%2Fendpoints', '?limit=1', '#', 'a/../../endpoints', '\n'])(
  'an id that looks like a path, or like none, names no other call: %j',
  async (id) => {
    const { requests, endpoints, deliveries } = createClient({ url: bridge.apiUrl, key: bridge.apiKey });
    const calls: (() => Promise<unknown>)[] = [
      () => requests.get(id),
      () => requests.stop(id, { purge: true }),
      () => endpoints.get(id),
      () => endpoints.delete(id),
      () => deliveries.retry(id),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ name: 'ApiError', status: 404 });
  },
);
