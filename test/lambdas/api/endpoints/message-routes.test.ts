import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test, vi } from 'vitest';
import { createMessages } from '../../../../lambdas/api/endpoints/messages.ts';
import type { DeliveryRow } from '../../../../lambdas/domain/delivering/delivery.ts';
import type { EndpointRow } from '../../../../lambdas/domain/delivering/endpoint.ts';
import { numberEvents } from '../../../../lambdas/domain/events/event.ts';
import { backlogPartition, deliveryKey, endpointKey } from '../../../../lambdas/domain/rows.ts';
import type { RowKey } from '../../../../lambdas/domain/work.ts';
import { entryWrite } from '../../../../lambdas/rows/backlog.ts';
import { doneInReplay } from '../../../../lambdas/rows/replays.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { deliveryRow } from '../../../support/rows.ts';
import { createClient } from '../call-api.ts';

const database = useDatabase();

/** A pull endpoint, and what sends to it as the fan-out does. */
async function setUp(onSleep: () => Promise<void> = async () => {}) {
  const { table } = database();
  const slept: number[] = [];
  const client = createClient(database(), {
    sleep: async (ms) => {
      slept.push(ms);
      client.clock.now += ms;
      await onSleep();
    },
  });
  const { call, clock } = client;
  const created = await call('POST', '/v1/endpoints', { body: { kind: 'pull' } });
  const { id, secret } = created.body;

  async function send(count = 1): Promise<string[]> {
    const endpoint = (await table.get<EndpointRow>(endpointKey(id)))!;
    const source = { kind: 'request', requestId: randomUUID() } as const;
    const drafts = Array.from({ length: count }, () => ({ type: 'video.processing' as const, data: {} }));
    const { rows } = numberEvents(source, { sequence: 0, position: 0 }, drafts, clock.now++);
    for (const event of rows) {
      const row = deliveryRow(event, endpoint);
      await table.transact([{ put: row }, entryWrite(row.backlogKey!, row)]);
    }
    return rows.map((row) => row.id);
  }
  const messages = `/v1/endpoints/${id}/messages`;
  const fetch = async (wait = 0): Promise<{ headers: Record<string, string>; body: string }[]> => {
    const { status, body } = await call('GET', `${messages}?wait=${wait}`);
    expect(status).toBe(200);
    return body.items;
  };
  const fetchIds = async (wait?: number) => (await fetch(wait)).map(({ headers }) => headers['webhook-id']);
  const ack = (ids: string[], headers = {}) => call('POST', `${messages}/ack`, { body: { ids }, headers });
  return { id, secret, call, clock, slept, send, fetch, fetchIds, ack, messages };
}

test('a client fetches signed messages, the oldest first, again until it has acknowledged them', async () => {
  const { secret, clock, send, fetch, fetchIds, ack } = await setUp();
  const ids = await send(3);
  const [first] = await fetch();
  vi.useFakeTimers({ toFake: ['Date'], now: clock.now });
  const verified = new Webhook(secret).verify(first!.body, first!.headers);
  vi.useRealTimers();
  expect(verified).toMatchObject({ id: ids[0], type: 'video.processing' });

  // As after a connection that was lost with the answer.
  expect(await fetchIds()).toEqual(ids);
  expect((await ack([ids[0]!, ids[2]!])).body).toEqual({ acknowledged: 2 });
  expect(await fetchIds()).toEqual([ids[1]]);
});

test('an acknowledgement whose answer was lost can be repeated, and one of something else changes nothing', async () => {
  const { send, fetchIds, ack } = await setUp();
  const [id] = await send();
  expect((await ack([id!])).body).toEqual({ acknowledged: 1 });
  expect((await ack([id!, 'msg_unknown'])).body).toEqual({ acknowledged: 0 });
  expect(await fetchIds()).toEqual([]);
});

test('what is acknowledged is delivered; a retry of it is fetched again by the same id', async () => {
  const { id, call, send, fetchIds, ack } = await setUp();
  const sent = await send();
  await ack(sent);
  const listed = await call('GET', `/v1/endpoints/${id}/deliveries?state=delivered`);
  expect(listed.body.items).toMatchObject([{ eventId: sent[0] }]);
  await call('POST', `/v1/deliveries/${listed.body.items[0].id}/retry`);
  expect(await fetchIds()).toEqual(sent);
});

test('an acknowledgement that comes late to a message which was replayed meanwhile counts for that replay', async () => {
  const { id, call, clock, send, ack } = await setUp();
  const [sent = ''] = await send();
  const { table } = database();
  const endpoint = (await table.get<EndpointRow>(endpointKey(id)))!;
  let isLate = true;
  const messages = createMessages({
    table: {
      ...table,
      transact: async (writes) => {
        if (isLate) {
          isLate = false;
          await ack([sent]);
          await queueAgain(deliveryKey(id, sent));
        }
        return table.transact(writes);
      },
    },
    now: () => clock.now,
    videoLink: async () => ({ url: '', urlExpiresAt: '' }),
    retentionDays: 30,
  });
  expect(await messages.acknowledge(endpoint, sent)).toBe(true);
  expect(await doneInReplay(table, 'rpl_late')).toBe(1);
  const { body } = await call('GET', `/v1/endpoints/${id}/deliveries?state=delivered`);
  expect(body.items).toMatchObject([{ eventId: sent, attemptCount: 2 }]);

  /** As a replay does. */
  async function queueAgain(key: RowKey): Promise<void> {
    const backlogKey = backlogPartition(endpoint);
    const row = (await table.get<DeliveryRow>(key))!;
    await table.transact([
      { update: key, set: { state: 'pending', backlogKey, replayId: 'rpl_late', inReplay: true } },
      entryWrite(backlogKey, row),
    ]);
  }
});

test('a call that waits answers as soon as there is something', async () => {
  let send = async (): Promise<string[]> => [];
  let looks = 0;
  const world = await setUp(async () => {
    if (++looks === 3) await send();
  });
  send = () => world.send();
  expect(await world.fetchIds(20)).toHaveLength(1);
  expect(world.slept).toHaveLength(3);
});

test('a waiting call to which no message comes answers with none when its time is over', async () => {
  const { fetchIds, slept } = await setUp();
  expect(await fetchIds(20)).toEqual([]);
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(20_000);
});

test('hundreds of messages are fetched and acknowledged page by page, none lost or doubled', async () => {
  const { send, fetchIds, ack } = await setUp();
  const ids = await send(130);
  const got: (string | undefined)[] = [];
  for (let page = await fetchIds(); page.length > 0; page = await fetchIds()) {
    got.push(...page);
    await ack(page as string[]);
  }
  expect(got).toEqual(ids);
});

test('while the endpoint is disabled its messages wait', async () => {
  const { id, call, send, fetchIds } = await setUp();
  await call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: false } });
  await send();
  expect(await fetchIds()).toEqual([]);
  await call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: true } });
  expect(await fetchIds()).toHaveLength(1);
});

test.each(['21', '-1', '1.5', 'x'])('a wait of %s s is refused', async (wait) => {
  const { call, messages } = await setUp();
  expect((await call('GET', `${messages}?wait=${wait}`)).status).toBe(400);
});

test('only pull endpoints have messages', async () => {
  const { call } = await setUp();
  const http = await call('POST', '/v1/endpoints', { body: { url: 'https://receiver.example/' } });
  expect((await call('GET', `/v1/endpoints/${http.body.id}/messages`)).status).toBe(409);
  expect((await call('GET', '/v1/endpoints/ep_aunknown/messages')).status).toBe(404);
});

test('each kind takes its own fields', async () => {
  const { call } = createClient(database(), { eventBusName: 'videos' });
  const create = (body: object) => call('POST', '/v1/endpoints', { body });
  expect((await create({ kind: 'eventbridge', busName: 'videos' })).body).toMatchObject({
    busName: 'videos',
  });
  for (const body of [
    { kind: 'eventbridge' },
    { kind: 'eventbridge', busName: 'arn:aws:events:us-east-1:1:event-bus/x' },
    { kind: 'pull', url: 'https://receiver.example/' },
    { kind: 'pull', busName: 'videos' },
    { kind: 'http' },
    { url: 'https://receiver.example/', busName: 'videos' },
  ])
    expect((await create(body)).status).toBe(400);
});

test.each([
  ['videos', /only the event bus videos.*eventBusName/],
  [undefined, /deploy it with .*eventBusName/],
])('an event bus is refused that is not the one the bridge may use, %s', async (eventBusName, remedy) => {
  const { call } = createClient(database(), { eventBusName });
  const given = { kind: 'eventbridge', busName: 'other' };
  const { status, body } = await call('POST', '/v1/endpoints', { body: given });
  expect(status).toBe(400);
  expect(body.errors).toEqual([{ path: 'busName', message: expect.stringMatching(remedy) }]);
});

test('an order is refused that a pull endpoint would not keep', async () => {
  const { call, id } = await setUp();
  const created = await call('POST', '/v1/endpoints', { body: { kind: 'pull', ordered: true } });
  const changed = await call('PATCH', `/v1/endpoints/${id}`, { body: { ordered: true } });
  for (const { status, body } of [created, changed]) {
    expect([status, body.errors[0].path]).toEqual([400, 'ordered']);
  }
  expect((await call('POST', '/v1/endpoints', { body: { kind: 'pull', ordered: false } })).status).toBe(201);
});
