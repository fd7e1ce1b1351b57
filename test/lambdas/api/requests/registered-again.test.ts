import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keyOfWrite } from '../../../../lambdas/adapters/dynamodb/expression.ts';
import type { EndpointRow } from '../../../../lambdas/domain/delivering/endpoint.ts';
import type { EventRow } from '../../../../lambdas/domain/events/event.ts';
import type { OutboxRow } from '../../../../lambdas/domain/events/outbox.ts';
import type { RequestRow } from '../../../../lambdas/domain/requests/request.ts';
import { callbackExpiry, eventExpiry, outboxExpiry } from '../../../../lambdas/domain/retention.ts';
import {
  copyKey,
  endpointKey,
  eventKey,
  metaKey,
  outboxKey,
  requestKey,
} from '../../../../lambdas/domain/rows.ts';
import type { RowKey } from '../../../../lambdas/domain/work.ts';
import { eventWrites } from '../../../../lambdas/rows/outbox.ts';
import { dynamoEngines } from '../../../../local/aws/emulators.ts';
import { startDatabase, type TestDatabase } from '../../../support/dynamodb.ts';
import { type Client, createClient, uuid } from '../call-api.ts';

const DAY_MS = 86_400_000;
const URL_A = 'https://hooks.example.com/a';

// Both engines: they differ in what they refuse.
describe.each(dynamoEngines())('on $name', (engine) => {
  let database: TestDatabase;
  let api: Client;
  let requestId: string;
  let tests = 0;

  beforeAll(async () => {
    database = await startDatabase(engine);
  }, 60_000);
  afterAll(() => database?.stop());
  beforeEach(() => {
    api = createClient(database);
    requestId = uuid(`again ${engine.name} ${++tests}`);
  });

  const register = (body: object = {}, query = '') =>
    api.call('POST', `/v1/requests${query}`, { body: { requestId, ...body } });
  const outboxOf = () => outboxKey({ kind: 'request', requestId });
  const get = <T extends RowKey>(key: RowKey) => database.table.get<T>(key);

  /** Observes events as a poll does: rows, outbox and counters in one transaction. */
  async function observe(count: number): Promise<void> {
    const row = (await get<RequestRow>(requestKey(requestId))) as RequestRow;
    const drafts = Array.from({ length: count }, () => ({ type: 'video.processing' as const, data: {} }));
    const expiresAt = eventExpiry(api.clock.now, 30);
    const source = { kind: 'request', requestId } as const;
    const { writes, counters } = eventWrites(source, row, drafts, api.clock.now, expiresAt);
    await database.table.transact([...writes, { update: requestKey(requestId), set: counters }]);
  }

  test('a callback whose endpoint was deleted is made again by the same registration', async () => {
    const first = await register({ callbackUrl: URL_A });
    const { endpointId } = first.body.callbacks[0];
    expect((await api.call('DELETE', `/v1/endpoints/${endpointId}`)).status).toBe(204);
    expect((await register({ callbackUrl: URL_A })).status).toBe(200);
    expect(await get(endpointKey(endpointId))).toMatchObject({ enabled: true });
  });

  test.each([
    ['and the outbox is left', []],
    ['and nothing else is left', [outboxOf]],
  ])('the numbers go on from the newest event, when the request has expired %s', async (_, others) => {
    await register();
    await observe(3);
    for (const key of [requestKey(requestId), metaKey(requestId), ...others.map((key) => key())]) {
      await database.table.write({ delete: key });
    }
    await database.table.write({ delete: eventKey({ kind: 'request', requestId }, 1) });
    api.clock.now += 40 * DAY_MS;
    const again = await register();
    expect([again.status, again.body.sequence]).toEqual([201, 3]);
    await observe(1);
    const fourth = await get<EventRow>(eventKey({ kind: 'request', requestId }, 4));
    expect(fourth?.data.sequence).toBe(4);
    expect(await get<OutboxRow>(outboxOf())).toMatchObject({ accountCursor: { position: 3 } });
  });

  test('the numbers go on although the newest events have expired before an older one', async () => {
    await register();
    await observe(3);
    const newest = [2, 3].map((position) => eventKey({ kind: 'request', requestId }, position));
    for (const key of [requestKey(requestId), metaKey(requestId), ...newest]) {
      await database.table.write({ delete: key });
    }
    api.clock.now += 50 * DAY_MS;
    expect((await register()).body.sequence).toBe(3);
    // Nothing is observed of it before it expires, too.
    for (const key of [requestKey(requestId), metaKey(requestId)])
      await database.table.write({ delete: key });
    const { body } = await api.call('POST', '/v1/requests/batch', { body: { items: [{ requestId }] } });
    expect(body.items).toEqual([{ requestId, status: 201 }]);
    expect((await api.call('GET', `/v1/requests/${requestId}`)).body.sequence).toBe(3);
  });

  test('a batch, too, goes on from the newest event', async () => {
    await register();
    await observe(2);
    for (const key of [requestKey(requestId), metaKey(requestId)])
      await database.table.write({ delete: key });
    const { body } = await api.call('POST', '/v1/requests/batch', { body: { items: [{ requestId }] } });
    expect(body.items).toEqual([{ requestId, status: 201 }]);
    expect((await api.call('GET', `/v1/requests/${requestId}`)).body.sequence).toBe(2);
  });

  test('a restart keeps the events of the first run for as long as those of the second', async () => {
    await register();
    await observe(2);
    await database.table.write({
      update: requestKey(requestId),
      set: { state: 'done', listKey: 'requests#done' },
      remove: ['lane', 'dueAt'],
    });
    api.clock.now += 29 * DAY_MS;
    expect((await register({}, '?restart=true')).status).toBe(200);
    const first = await get<EventRow>(eventKey({ kind: 'request', requestId }, 1));
    expect(first?.expiresAt).toBe(eventExpiry(api.clock.now, 30));
  });

  test('the outbox expires long after the last event, and that of a stopped request, too', async () => {
    await register();
    expect(await get(outboxOf())).not.toHaveProperty('expiresAt');
    await observe(1);
    const expiresAt = outboxExpiry(eventExpiry(api.clock.now, 30));
    expect(await get(outboxOf())).toMatchObject({ expiresAt });
    api.clock.now += DAY_MS;
    await api.call('DELETE', `/v1/requests/${requestId}`);
    expect(await get(outboxOf())).toMatchObject({ expiresAt: expiresAt + DAY_MS / 1000 });
  });

  test('a stop finds the copy that began while the rows were read', async () => {
    await register();
    let begun = false;
    const late = createClient({
      ...database,
      table: {
        ...database.table,
        transact: async (writes) => {
          if (!begun) {
            begun = true;
            await database.table.transact([
              { update: requestKey(requestId), set: { video: { state: 'pending' } } },
              { put: { ...copyKey(requestId), lane: 'copy', dueAt: api.clock.now } },
            ]);
          }
          return database.table.transact(writes);
        },
      },
    });
    expect((await late.call('DELETE', `/v1/requests/${requestId}`)).status).toBe(204);
    expect(await get(copyKey(requestId))).toMatchObject({ canceled: true });
  });

  describe('the endpoint that registrations with one callback URL share', () => {
    const callbackUrl = 'https://hooks.example.com/shared';
    const registerAnother = (n: number) =>
      api.call('POST', '/v1/requests', {
        body: { requestId: uuid(`shares ${engine.name} ${n}`), callbackUrl },
      });

    test('is written by the first of a day alone', async () => {
      const { body } = await registerAnother(1);
      const key = endpointKey(body.callbacks[0].endpointId);
      const expiresAt = callbackExpiry(api.clock.now, 30, undefined);
      expect(await get(key)).toMatchObject({ expiresAt });
      api.clock.now += DAY_MS / 2;
      await registerAnother(2);
      expect(await get(key)).toMatchObject({ expiresAt });
      api.clock.now += DAY_MS;
      await registerAnother(3);
      expect(await get(key)).toMatchObject({ expiresAt: callbackExpiry(api.clock.now, 30, undefined) });
    });

    test('is read by the others, which write no row that they share', async () => {
      const { body } = await registerAnother(6);
      const key = endpointKey(body.callbacks[0].endpointId);
      const written: RowKey[] = [];
      api = createClient({
        ...database,
        table: {
          ...database.table,
          transact: (writes) => {
            written.push(...writes.map(keyOfWrite).map(({ pk, sk }) => ({ pk, sk })));
            return database.table.transact(writes);
          },
        },
      });
      expect((await registerAnother(7)).status).toBe(201);
      expect(written).toContainEqual(requestKey(uuid(`shares ${engine.name} 7`)));
      expect(written).not.toContainEqual(key);
    });

    test('is kept for good when a person has changed it', async () => {
      const { body } = await registerAnother(4);
      const { endpointId } = body.callbacks[0];
      await api.call('PATCH', `/v1/endpoints/${endpointId}`, { body: { rateLimit: 2 } });
      api.clock.now += 60 * DAY_MS;
      await registerAnother(5);
      expect(await get<EndpointRow>(endpointKey(endpointId))).toMatchObject({ rateLimit: 2 });
      expect(await get(endpointKey(endpointId))).not.toHaveProperty('expiresAt');
    });
  });
});
