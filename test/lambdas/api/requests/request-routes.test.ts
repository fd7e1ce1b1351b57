import { beforeEach, describe, expect, test } from 'vitest';
import type { EndpointRow } from '../../../../lambdas/domain/delivering/endpoint.ts';
import type { OutboxRow } from '../../../../lambdas/domain/events/outbox.ts';
import type { MetaRow, RequestRow } from '../../../../lambdas/domain/requests/request.ts';
import {
  copyKey,
  endpointKey,
  eventKey,
  metaKey,
  outboxKey,
  ROW_VERSION,
  requestKey,
} from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { type Client, createClient, uuid } from '../call-api.ts';

const database = useDatabase();
const URL_A = 'https://hooks.example.com/a';
let api: Client;
let tests = 0;
let id: string;

beforeEach(() => {
  api = createClient(database());
  id = uuid(`request ${++tests}`);
});

const register = (body: object = {}, query = '') =>
  api.call('POST', `/v1/requests${query}`, { body: { requestId: id, ...body } });
const row = async (requestId = id) =>
  (await database().table.get<RequestRow>(requestKey(requestId))) as RequestRow;
const outboxOf = (requestId = id) => outboxKey({ kind: 'request', requestId });
const update = (set: Record<string, unknown>, key = requestKey(id), remove: string[] = []) =>
  database().table.write({ update: key, set, remove });
const end = () =>
  update({ state: 'done', status: 'complete', listKey: 'requests#done' }, requestKey(id), ['lane', 'dueAt']);

describe('registering', () => {
  test('tracks a request, due for its first poll at once', async () => {
    const answer = await register({ metadata: { order: '42' } });
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe(`/v1/requests/${id}`);
    expect(answer.body).toEqual({
      requestId: id,
      state: 'active',
      status: 'registered',
      progress: null,
      statusSince: '2026-11-23T20:00:00.000Z',
      sequence: 0,
      registeredAt: '2026-11-23T20:00:00.000Z',
      lastPolledAt: null,
      nextPollAt: '2026-11-23T20:00:00.000Z',
      polls: 0,
      metadata: { order: '42' },
      callbacks: [],
      video: null,
    });
    expect(await row()).toMatchObject({
      lane: 'poll',
      dueAt: api.clock.now,
      copy: true,
      sequence: 0,
      position: 0,
    });
    expect(api.hints.sent).toEqual([{ lane: 'poll', hint: { ...requestKey(id), dueAt: api.clock.now } }]);
  });

  test('creates the endpoint of a callback, and gives it a cursor of its own', async () => {
    const { body } = await register({ callbackUrl: URL_A });
    const [callback] = body.callbacks;
    expect(callback).toEqual({ endpointId: expect.stringMatching(/^ep_c/), url: URL_A, events: ['video.*'] });
    const endpoint = await database().table.get<EndpointRow>(endpointKey(callback.endpointId));
    expect(endpoint).toMatchObject({
      kind: 'callback',
      url: URL_A,
      enabled: true,
      health: { state: 'healthy' },
    });
    expect(await database().table.get<OutboxRow>(outboxOf())).toEqual({
      ...outboxOf(),
      accountCursor: { position: 0 },
      callbackCursors: { [callback.endpointId]: 0 },
      v: ROW_VERSION,
    });
  });

  test('asks for progress when a callback does', async () => {
    await register({ callbackUrl: URL_A, events: ['progress.updated'] });
    expect((await row()).tellProgress).toBe(true);
  });

  test('again resets nothing', async () => {
    await register({ callbackUrl: URL_A, metadata: { a: '1' } });
    await update({ status: 'processing', sequence: 3, progress: 40 });
    api.hints.clear();
    const answer = await register({ callbackUrl: URL_A, metadata: { a: '1' }, events: ['video.*'] });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: 'processing', sequence: 3, progress: 40 });
    expect(answer.body.callbacks).toHaveLength(1);
    expect(api.hints.sent).toEqual([]);
  });

  test('the same id in upper case is the same request', async () => {
    await register();
    const answer = await register({ requestId: id.toUpperCase() });
    expect([answer.status, answer.body.requestId]).toEqual([200, id]);
  });

  test('with another callback adds it from the first event on, and takes the outbox from its dispatcher', async () => {
    await register({ callbackUrl: URL_A });
    await update({ lane: 'dispatch', dueAt: api.clock.now, owner: 'somebody', claims: 1 }, outboxOf());
    api.hints.clear();
    const answer = await register({
      callbackUrl: 'https://hooks.example.com/b',
      events: ['progress.updated'],
    });
    expect(answer.status).toBe(200);
    const added = answer.body.callbacks[1];
    const outbox = await database().table.get<OutboxRow>(outboxOf());
    expect(outbox?.callbackCursors[added.endpointId]).toBe(0);
    expect(outbox).toMatchObject({ lane: 'dispatch', dueAt: api.clock.now + 1 });
    expect(outbox).not.toHaveProperty('owner');
    expect((await row()).tellProgress).toBe(true);
    expect(api.hints.sent).toEqual([{ lane: 'dispatch', hint: { ...outboxOf(), dueAt: api.clock.now + 1 } }]);
  });

  test('with a callback whose endpoint was deleted makes the endpoint again, for what it was not sent', async () => {
    const { body } = await register({ callbackUrl: URL_A });
    const [callback] = body.callbacks;
    await update({ [`callbackCursors.${callback.endpointId}`]: 4 }, outboxOf());
    await api.call('DELETE', `/v1/endpoints/${callback.endpointId}`);
    api.hints.clear();
    const again = await register({ callbackUrl: URL_A });
    expect([again.status, again.body.callbacks]).toEqual([200, [callback]]);
    expect(await database().table.get(endpointKey(callback.endpointId))).toMatchObject({ enabled: true });
    const outbox = await database().table.get<OutboxRow>(outboxOf());
    expect(outbox).toMatchObject({ lane: 'dispatch', callbackCursors: { [callback.endpointId]: 0 } });
    expect(api.hints.of('dispatch')).toHaveLength(1);
  });

  test('with other metadata, or other events of a known callback, is a conflict that names the field', async () => {
    await register({ callbackUrl: URL_A, metadata: { a: '1' } });
    const metadata = await register({ metadata: { a: '2' } });
    expect([metadata.status, metadata.body.errors[0].path]).toEqual([409, 'metadata']);
    const events = await register({ callbackUrl: URL_A, events: ['video.complete'] });
    expect([events.status, events.body.errors[0].path]).toEqual([409, 'events']);
  });

  test('takes ten callbacks and refuses the eleventh', async () => {
    for (let n = 1; n <= 10; n++) {
      expect((await register({ callbackUrl: `${URL_A}/${n}` })).status).toBe(n === 1 ? 201 : 200);
    }
    expect((await register({ callbackUrl: `${URL_A}/11` })).status).toBe(409);
  });

  test('ten new callbacks at once are all added', async () => {
    await register();
    // The hint of one is obsolete as soon as the next has written: which rows they name is not checked.
    api = createClient(database(), { shared: true });
    const urls = Array.from({ length: 10 }, (_, n) => `${URL_A}/${n}`);
    const answers = await Promise.all(urls.map((callbackUrl) => register({ callbackUrl })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const meta = await database().table.get<MetaRow>(metaKey(id));
    expect(meta?.callbacks.map(({ url }) => url).sort()).toEqual(urls);
  });

  test('two at once track the request once', async () => {
    const answers = await Promise.all([register(), register()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
  });

  test('finds what another call tracked between its own two looks', async () => {
    const { table } = database();
    const looksTwice = createClient({
      ...database(),
      table: {
        ...table,
        query: async (query) => {
          await register();
          return table.query(query);
        },
      },
    });
    const answer = await looksTwice.call('POST', '/v1/requests', { body: { requestId: id } });
    expect([answer.status, answer.body.requestId]).toEqual([200, id]);
  });
});

describe('restarting', () => {
  test('polls an ended request again and goes on counting', async () => {
    await register({ callbackUrl: URL_A });
    await update({
      sequence: 7,
      position: 9,
      polls: 20,
      video: { state: 'failed' },
      progress: 100,
      expiresAt: 2_000_000_000,
    });
    await update({ expiresAt: 2_000_000_000 }, metaKey(id));
    await end();
    api.clock.now += 60_000;
    api.hints.clear();
    const answer = await register({}, '?restart=true');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      state: 'active',
      status: 'registered',
      sequence: 7,
      polls: 20,
      progress: null,
      video: null,
    });
    const restarted = await row();
    expect(restarted).toMatchObject({
      position: 9,
      lane: 'poll',
      dueAt: api.clock.now,
      startedAt: api.clock.now,
    });
    expect(restarted).not.toHaveProperty('expiresAt');
    expect(await database().table.get(metaKey(id))).not.toHaveProperty('expiresAt');
    expect(api.hints.of('poll')).toHaveLength(1);
  });

  test('changes nothing of an active request', async () => {
    await register();
    await update({ status: 'processing' });
    const answer = await register({}, '?restart=true');
    expect([answer.status, answer.body.status]).toEqual([200, 'processing']);
  });

  test.each([
    ['runs', async () => {}],
    ['still cleans up', end],
  ])('waits for a copy that %s', async (_, before) => {
    await register();
    await before();
    await database().table.write({ put: { ...copyKey(id), lane: 'copy', dueAt: api.clock.now } });
    expect((await register({}, '?restart=true')).status).toBe(409);
  });
});

describe('listing', () => {
  test('goes through all requests, newest first, page by page', async () => {
    const client = createClient(database(), { startAt: Date.UTC(2030, 0, 1) });
    const ids = Array.from({ length: 5 }, (_, n) => uuid(`listed ${n}`));
    for (const requestId of ids) {
      client.clock.now += 1;
      await client.call('POST', '/v1/requests', { body: { requestId } });
    }
    const listed: string[] = [];
    let cursor = '';
    while (listed.length < 5) {
      const { body } = await client.call('GET', `/v1/requests?limit=2${cursor}`);
      expect(body.items).toHaveLength(2);
      listed.push(...body.items.map((item: { requestId: string }) => item.requestId));
      cursor = `&cursor=${body.cursor}`;
    }
    expect(listed.slice(0, 5)).toEqual(ids.toReversed());
  });

  test('shows of a request all that it shows alone', async () => {
    await register({ callbackUrl: URL_A, metadata: { order: '42' } });
    const lastError = { at: api.clock.now, reason: 'upstream answered 503' };
    await update({
      progress: 12,
      estimates: { cost: [10, 12], time: [600, 700] },
      averageFps: 3.5,
      combinedFps: 7,
      outputSize: 1_000,
      message: 'a message',
      errorCode: 'a code',
      lastPolledAt: api.clock.now,
      lastError,
      video: { state: 'copying', copiedBytes: 5, lastError },
    });
    await update({ processingJobs: [{ node: 1 }] }, metaKey(id));
    const { body: alone } = await api.call('GET', `/v1/requests/${id}`);
    const { body: list } = await api.call('GET', '/v1/requests?limit=100');
    const listed = list.items.find(({ requestId }: { requestId: string }) => requestId === id);
    expect(listed).toEqual(alone);
    expect(alone).toMatchObject({ progress: 12, processingJobs: [{ node: 1 }], metadata: { order: '42' } });
  });

  test('shows when an active request may end, as far as polls tell', async () => {
    await register();
    const at = api.clock.now;
    const observations = [
      { at, after: at, status: 'processing', progress: 0 },
      { at: at + 30_000, after: at + 30_000, progress: 30 },
    ];
    await update({ status: 'processing', progress: 30, observations });
    const view = async () => (await api.call('GET', `/v1/requests/${id}`)).body;
    expect(await view()).toMatchObject({ expectedEndAt: '2026-11-23T20:01:40.000Z' });
    await update({ state: 'stopped' });
    expect(await view()).not.toHaveProperty('expectedEndAt');
  });

  test('filters by state and status', async () => {
    await register();
    await end();
    const done = await api.call('GET', '/v1/requests?state=done&status=complete&limit=100');
    expect(done.body.items.map((item: { requestId: string }) => item.requestId)).toContain(id);
    const active = await api.call('GET', '/v1/requests?state=active&limit=100');
    expect(active.body.items.map((item: { requestId: string }) => item.requestId)).not.toContain(id);
  });

  test('shows a parked request as parked and not as active, with the reason', async () => {
    await register();
    const since = api.clock.now;
    await update({ lane: 'parked', dueAt: since, parked: { reason: 'broken', since, lane: 'poll' } });
    const parked = await api.call('GET', '/v1/requests?state=parked');
    expect(parked.body.items).toMatchObject([
      { requestId: id, state: 'parked', parked: { reason: 'broken', since: '2026-11-23T20:00:00.000Z' } },
    ]);
    const active = await api.call('GET', '/v1/requests?state=active&limit=100');
    expect(active.body.items.map((item: { requestId: string }) => item.requestId)).not.toContain(id);
    await api.call('POST', `/v1/requests/${id}/poll`);
  });

  test('refuses a cursor that was changed, or belongs to another filter', async () => {
    await register();
    id = uuid('one more');
    await register();
    const { body } = await api.call('GET', '/v1/requests?limit=1');
    const other = await api.call('GET', `/v1/requests?limit=1&state=active&cursor=${body.cursor}`);
    const changed = await api.call('GET', `/v1/requests?cursor=${body.cursor.slice(0, -2)}AA`);
    for (const answer of [other, changed]) {
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'cursor']);
    }
  });
});

test("a request's events are listed oldest first, with its metadata", async () => {
  await register({ metadata: { order: '42' } });
  const source = { kind: 'request', requestId: id } as const;
  for (const position of [1, 2, 3]) {
    const event = { id: `msg_${position}`, type: 'video.processing', occurredAt: api.clock.now, position };
    await database().table.write({
      put: { ...eventKey(source, position), ...event, data: { sequence: position } },
    });
  }
  const first = await api.call('GET', `/v1/requests/${id}/events?limit=2`);
  expect(first.body.items).toEqual(
    [1, 2].map((sequence) => ({
      id: `msg_${sequence}`,
      type: 'video.processing',
      timestamp: '2026-11-23T20:00:00.000Z',
      data: { sequence, metadata: { order: '42' } },
    })),
  );
  const rest = await api.call('GET', `/v1/requests/${id}/events?limit=2&cursor=${first.body.cursor}`);
  expect(rest.body.items).toHaveLength(1);
  expect(rest.body).not.toHaveProperty('cursor');
});

describe('the video', () => {
  test('is not there until it is stored', async () => {
    await register();
    expect((await api.call('GET', `/v1/requests/${id}/video`)).status).toBe(404);
  });

  test('is a redirect to a URL that was just signed, or that URL as JSON', async () => {
    await register();
    await update({ video: { state: 'stored', bucket: 'videos', key: 'a/b.mp4' } });
    const redirect = await api.call('GET', `/v1/requests/${id}/video`);
    expect(redirect.status).toBe(302);
    const location = new URL(redirect.headers.location ?? '');
    expect(location.pathname).toBe('/a/b.mp4');
    expect(location.searchParams.get('X-Amz-Expires')).toBe('900');
    const json = await api.call('GET', `/v1/requests/${id}/video`, {
      headers: { accept: 'application/json' },
    });
    expect(json.body).toEqual({ url: redirect.headers.location, expiresAt: '2026-11-23T20:15:00.000Z' });
  });

  test.each([
    ['', 'video/mp4', 'attachment'],
    ['?inline=true', 'video/mp4', 'inline'],
    ['?inline=true', 'application/zip', 'attachment'],
  ])('with the query %j a %s is answered as %s', async (query, contentType, disposition) => {
    await register();
    await update({ video: { state: 'stored', bucket: 'videos', key: 'a/b', contentType } });
    const { headers } = await api.call('GET', `/v1/requests/${id}/video${query}`);
    const { searchParams } = new URL(headers.location ?? '');
    expect(searchParams.get('response-content-type')).toBe(contentType);
    expect(searchParams.get('response-content-disposition')).toBe(disposition);
  });

  test('that waits shows why, and where an earlier one is', async () => {
    await register();
    const previous = { bucket: 'videos', key: 'a/b.mp4' };
    await update({
      video: {
        state: 'copying',
        previous,
        lastError: { at: api.clock.now, reason: 'the source answered 503' },
      },
    });
    expect((await api.call('GET', `/v1/requests/${id}`)).body.video).toMatchObject({
      previous,
      lastError: { at: '2026-11-23T20:00:00.000Z', reason: 'the source answered 503' },
    });
  });
});

describe('polling now', () => {
  test('takes the row from its worker', async () => {
    await register();
    await update({ owner: 'somebody', claims: 2, dueAt: api.clock.now + 90_000 });
    api.hints.clear();
    expect((await api.call('POST', `/v1/requests/${id}/poll`)).status).toBe(202);
    const polled = await row();
    expect(polled).toMatchObject({ lane: 'poll', dueAt: api.clock.now });
    expect(polled).not.toHaveProperty('owner');
    expect(polled).not.toHaveProperty('claims');
    expect(api.hints.of('poll')).toEqual([{ ...requestKey(id), dueAt: api.clock.now }]);
  });

  test('releases all rows of the request that are parked', async () => {
    await register();
    const parked = (lane: string) => ({
      lane: 'parked',
      dueAt: api.clock.now - 1,
      parked: { reason: 'broken', since: api.clock.now - 1, lane },
    });
    const segment = { pk: requestKey(id).pk, sk: 'SEGMENT#1#00000' };
    await update({ ...parked('poll'), video: { state: 'copying' } });
    await update(parked('dispatch'), outboxOf());
    await database().table.write({ put: { ...segment, ...parked('copy') } });
    api.hints.clear();
    const answer = await api.call('POST', `/v1/requests/${id}/poll`);
    expect([answer.status, answer.body.state]).toEqual([202, 'active']);
    expect(api.hints.sent.map(({ lane }) => lane).sort()).toEqual(['copy', 'dispatch', 'poll']);
    expect(await database().table.get(segment)).toMatchObject({ lane: 'copy', dueAt: api.clock.now });
  });

  test('releases a segment of the video that waits for a person, which shows the request as parked', async () => {
    await register();
    await update({ video: { state: 'copying' } });
    await database().table.write({ update: requestKey(id), remove: ['lane', 'dueAt'] });
    const segment = { pk: requestKey(id).pk, sk: 'SEGMENT#1#00000' };
    const since = api.clock.now;
    const parked = { reason: 'the bucket denies it', since, lane: 'copy' };
    await database().table.write({ put: { ...segment, lane: 'parked', dueAt: since, parked } });
    const shown = await api.call('GET', '/v1/requests?state=parked');
    expect(shown.body.items).toMatchObject([
      { requestId: id, state: 'parked', parked: { reason: 'the bucket denies it' } },
    ]);
    const active = await api.call('GET', '/v1/requests?state=active&limit=100');
    expect(active.body.items.map((item: { requestId: string }) => item.requestId)).not.toContain(id);

    const released = await api.call('POST', `/v1/requests/${id}/poll`);
    expect([released.status, released.body.state]).toEqual([202, 'active']);
    expect(await database().table.get(segment)).toMatchObject({ lane: 'copy' });
  });

  test('is a conflict when the request has ended', async () => {
    await register();
    await end();
    expect((await api.call('POST', `/v1/requests/${id}/poll`)).status).toBe(409);
  });
});

describe('deleting', () => {
  test('stops the tracking and cancels a copy that runs', async () => {
    await register();
    await update({ owner: 'somebody', video: { state: 'copying' } });
    await database().table.write({
      put: { ...copyKey(id), lane: 'copy', dueAt: api.clock.now + 90_000, owner: 'x' },
    });
    api.hints.clear();
    expect((await api.call('DELETE', `/v1/requests/${id}`)).status).toBe(204);
    const stopped = await row();
    expect(stopped).toMatchObject({ state: 'stopped', listKey: 'requests#stopped' });
    for (const gone of ['lane', 'dueAt', 'owner']) expect(stopped).not.toHaveProperty(gone);
    const copy = await database().table.get(copyKey(id));
    expect(copy).toMatchObject({ canceled: true, lane: 'copy', dueAt: api.clock.now });
    expect(copy).not.toHaveProperty('owner');
    expect(api.hints.sent).toEqual([{ lane: 'copy', hint: { ...copyKey(id), dueAt: api.clock.now } }]);
    expect((await api.call('GET', `/v1/requests/${id}`)).body.state).toBe('stopped');
  });

  test('leaves a finished copy alone', async () => {
    await register();
    await update({ video: { state: 'stored', bucket: 'b', key: 'k' } });
    await database().table.write({ put: copyKey(id) });
    await api.call('DELETE', `/v1/requests/${id}`);
    expect(await database().table.get(copyKey(id))).toEqual({ ...copyKey(id), v: ROW_VERSION });
  });

  test('with purge orders the erasure, and the request is gone for every reader', async () => {
    await register();
    api.hints.clear();
    expect((await api.call('DELETE', `/v1/requests/${id}?purge=true`)).status).toBe(204);
    expect(await database().table.get(outboxOf())).toMatchObject({ purge: true, lane: 'dispatch' });
    expect(api.hints.of('dispatch')).toHaveLength(1);
    for (const path of ['', '/events', '/video']) {
      expect((await api.call('GET', `/v1/requests/${id}${path}`)).status).toBe(404);
    }
    expect(await row()).not.toHaveProperty('listKey');
    expect((await register()).status).toBe(409);
  });

  test('an unknown request is not found', async () => {
    for (const unknown of [uuid('unknown'), 'no-uuid']) {
      expect((await api.call('DELETE', `/v1/requests/${unknown}`)).status).toBe(404);
      expect((await api.call('GET', `/v1/requests/${unknown}`)).status).toBe(404);
    }
  });
});

test('a request past its expiry is gone, and registering it again goes on counting', async () => {
  await register();
  await update({ sequence: 5, position: 6, expiresAt: Math.floor(api.clock.now / 1000) - 1 });
  expect((await api.call('GET', `/v1/requests/${id}`)).status).toBe(404);
  const answer = await register();
  expect([answer.status, answer.body.sequence]).toEqual([201, 5]);
  expect(await row()).toMatchObject({ position: 6 });
});

describe('a batch', () => {
  test('registers each item separately and answers for each', async () => {
    await register();
    const fresh = uuid('batch fresh');
    const { status, body } = await api.call('POST', '/v1/requests/batch', {
      body: {
        items: [
          { requestId: fresh },
          { requestId: id },
          { requestId: 'nope' },
          { requestId: fresh, metadata: { a: 'b' } },
          5,
        ],
      },
    });
    expect(status).toBe(200);
    expect(body.items.map((item: { status: number }) => item.status)).toEqual([201, 200, 400, 409, 400]);
    expect(body.items[2]).toMatchObject({
      requestId: 'nope',
      error: { status: 400, errors: [{ path: 'requestId' }] },
    });
    expect(api.hints.of('poll').map(({ pk }) => pk)).toContain(requestKey(fresh).pk);
  });

  test('takes 100 items and refuses more', async () => {
    const items = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ requestId: uuid(`many ${n}`) }));
    const full = await api.call('POST', '/v1/requests/batch', { body: { items: items(100) } });
    expect(new Set(full.body.items.map((item: { status: number }) => item.status))).toEqual(new Set([201]));
    expect((await api.call('POST', '/v1/requests/batch', { body: { items: items(101) } })).status).toBe(400);
  });
});
