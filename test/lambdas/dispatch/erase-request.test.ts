import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import type { Table } from '../../../lambdas/adapters/dynamodb/table.ts';
import { createEraseRequest } from '../../../lambdas/dispatch/erase-request.ts';
import { numberEvents } from '../../../lambdas/domain/events/event.ts';
import type { OutboxRow } from '../../../lambdas/domain/events/outbox.ts';
import { replayId } from '../../../lambdas/domain/ids.ts';
import {
  backlogEntryKey,
  callbackUseKey,
  copyKey,
  deliveryKey,
  endpointKey,
  metaKey,
  outboxKey,
  requestKey,
  segmentKey,
} from '../../../lambdas/domain/rows.ts';
import { LEASE_MS, type RowKey } from '../../../lambdas/domain/work.ts';
import { entryWrite } from '../../../lambdas/rows/backlog.ts';
import { deletion } from '../../../lambdas/rows/endpoints.ts';
import { doneInReplay } from '../../../lambdas/rows/replays.ts';
import { claimed, movingClock, testClaims } from '../../support/claims.ts';
import { startDatabase } from '../../support/dynamodb.ts';
import { recordHints } from '../../support/recorded-hints.ts';
import { deliveryRow, endpointRow, requestRow, START } from '../../support/rows.ts';

async function setUp(events: number, wrap = (table: Table): Table => table) {
  const { table, stop } = await startDatabase();
  const clock = movingClock();
  const claims = testClaims(table, clock);
  const hints = recordHints(table);
  const requestId = randomUUID();
  const source = { kind: 'request', requestId } as const;
  const account = endpointRow(1);
  const callback = endpointRow(2, { kind: 'callback' });
  for (const endpoint of [account, callback])
    await table.write({ put: { ...endpoint, ...endpointKey(endpoint.id) } });
  await table.write({ put: { ...requestRow({ requestId }), purged: true } });
  await table.write({
    put: {
      ...metaKey(requestId),
      metadata: {},
      callbacks: [{ endpointId: callback.id, url: callback.url, events: ['video.*'] }],
    },
  });
  const drafts = Array.from({ length: events }, () => ({ type: 'video.processing' as const, data: {} }));
  const { rows } = numberEvents(source, { sequence: 0, position: 0 }, drafts, clock.now());
  for (const event of rows) {
    await table.write({ put: event });
    for (const endpoint of [account, callback]) await table.write({ put: deliveryRow(event, endpoint) });
  }
  await table.write({ put: { ...outboxKey(source), purge: true, lane: 'dispatch', dueAt: clock.now() } });

  const erase = createEraseRequest({ table: wrap(table), claims, now: clock.now, retentionDays: 30 });
  const outbox = () => table.get<OutboxRow>(outboxKey(source));
  async function step(): Promise<void> {
    await erase(
      await claimed<OutboxRow>(claims, 'dispatch', {
        ...outboxKey(source),
        dueAt: (await outbox())?.dueAt ?? 0,
      }),
      { deadline: Number.POSITIVE_INFINITY, hint: hints.send },
    );
  }
  const left = async (partition: string) =>
    (await table.query({ partition, limit: 1_000, consistent: true })).rows.length;
  const deliveriesLeft = async () => (await left(`DEL#${account.id}`)) + (await left(`DEL#${callback.id}`));
  return {
    table,
    stop,
    clock,
    requestId,
    account,
    callback,
    events: rows,
    step,
    outbox,
    deliveriesLeft,
    left: () => left(requestKey(requestId).pk),
  };
}

test('a purged request leaves neither rows nor deliveries', async () => {
  const { step, outbox, left, deliveriesLeft, stop } = await setUp(30);
  for (let steps = 0; await outbox(); steps++) {
    expect(steps).toBeLessThan(5);
    await step();
  }
  expect(await left()).toBe(0);
  expect(await deliveriesLeft()).toBe(0);
  await stop();
});

test('a purge erases what went to endpoints that were deleted since, and places in backlogs', async () => {
  const { table, events, step, outbox, stop } = await setUp(1);
  const deleted = endpointRow(3);
  const away = endpointRow(4, { enabled: false });
  const gone = deliveryRow(events[0]!, deleted);
  const held = deliveryRow(events[0]!, away);
  for (const each of [deleted, away]) await table.write({ put: { ...each, ...endpointKey(each.id) } });
  await table.transact([{ put: gone }, { put: held }, entryWrite(held.backlogKey!, held)]);
  await table.transact(deletion({ ...deleted, ...endpointKey(deleted.id) }, START, 30).writes);
  while (await outbox()) await step();
  for (const row of [gone, held, backlogEntryKey(held.backlogKey!, held)])
    expect(await table.get(row)).toBeUndefined();
  await stop();
});

test('deliveries are erased before the copy is cleaned up by its own stage; the request goes last', async () => {
  const { table, requestId, clock, step, outbox, left, deliveriesLeft, stop } = await setUp(1);
  await table.write({ put: { ...copyKey(requestId), lane: 'copy', dueAt: clock.now() } });
  const begunAt = clock.now();
  await step();
  expect(await deliveriesLeft()).toBe(0);
  const { lane, dueAt = 0 } = (await outbox()) ?? {};
  expect({ lane, waits: dueAt >= begunAt + 15_000 && dueAt < begunAt + 16_000 }).toEqual({
    lane: 'dispatch',
    waits: true,
  });
  // Request, metadata, copy and outbox.
  expect(await left()).toBe(4);

  await table.write({ update: copyKey(requestId), remove: ['lane', 'dueAt'] });
  await step();
  expect(await left()).toBe(0);
  await stop();
});

test('a purge that fails again and again while it ends its callbacks counts its claims, so that it is parked', async () => {
  const { pk: callbacks } = endpointKey(endpointRow(2, { kind: 'callback' }).id);
  const { step, outbox, stop } = await setUp(0, (table) => ({
    ...table,
    query: (options) => {
      if (options.partition === callbacks) throw new Error('refused');
      return table.query(options);
    },
  }));
  await expect(step()).rejects.toThrow('refused');
  expect(await outbox()).toMatchObject({ claims: 1 });
  await stop();
});

test('a purge whose clean-up waits for a person looks again now and then, and ends after its release', async () => {
  const { table, requestId, clock, step, outbox, left, stop } = await setUp(1);
  const parked = { reason: 'broken', since: clock.now(), lane: 'copy' };
  await table.write({ put: { ...copyKey(requestId), lane: 'parked', dueAt: clock.now(), parked } });
  const begunAt = clock.now();
  for (let looks = 1; looks <= 10; looks++) {
    await step();
    expect(await outbox()).toMatchObject({ lane: 'dispatch', purge: true });
  }
  expect((await outbox())?.dueAt).toBeGreaterThan(begunAt + 600_000);

  await table.write({ update: copyKey(requestId), remove: ['lane', 'dueAt', 'parked'] });
  await step();
  expect(await left()).toBe(0);
  await stop();
});

test('an event that was written just before the purge is erased with its deliveries, however late reads are', async () => {
  const { table, events, step, outbox, left, deliveriesLeft, stop } = await setUp(2, (table) => ({
    ...table,
    // A read that is not consistent does not see the newest event yet.
    query: async (query) => {
      const page = await table.query<never>(query);
      const stale = page.rows.filter(({ sk }) => sk !== events.at(-1)?.sk);
      return query.consistent ? page : { ...page, rows: stale };
    },
  }));
  while (await outbox()) await step();
  expect(await left()).toBe(0);
  expect(await deliveriesLeft()).toBe(0);
  expect(await table.get(events[1]!)).toBeUndefined();
  await stop();
});

test('a replay counts a delivery that is erased as ended', async () => {
  const { table, events, account, step, outbox, stop } = await setUp(1);
  const [event] = events;
  const id = replayId(new Uint8Array(16));
  const set = { replayId: id, inReplay: true };
  await table.write({ update: deliveryKey(account.id, event!.id), set });
  while (await outbox()) await step();
  expect(await doneInReplay(table, id)).toBe(1);
  await stop();
});

test('a worker that freezes erases nothing of the request when it is registered again meanwhile', async () => {
  let isOver = false;
  for (let freezeAt = 1; !isOver; freezeAt++) {
    let calls = 0;
    let meanwhile: (() => Promise<void>) | undefined;
    const frozen =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (++calls === freezeAt) await meanwhile?.();
        return call(...args);
      };
    const world = await setUp(1, (table) => ({
      ...table,
      get: frozen(table.get) as Table['get'],
      getMany: frozen(table.getMany) as Table['getMany'],
      query: frozen(table.query) as Table['query'],
      write: frozen(table.write) as Table['write'],
      transact: frozen(table.transact),
    }));
    const { table, requestId, clock, callback, account } = world;
    const use = callbackUseKey(callback.id, requestId);
    const segment = segmentKey(requestId, 1, 0);
    for (const put of [use, segment]) await table.write({ put });
    let tracked: readonly RowKey[] = [];
    meanwhile = async () => {
      isOver = false;
      clock.advance(LEASE_MS + 1);
      while (await world.outbox()) await world.step();
      tracked = await registerAgain();
    };
    async function registerAgain(): Promise<readonly RowKey[]> {
      const source = { kind: 'request', requestId } as const;
      const callbacks = [{ endpointId: callback.id, url: callback.url ?? '', events: ['video.*'] }];
      const drafts = [{ type: 'video.accepted' as const, data: {} }];
      const { rows } = numberEvents(source, { sequence: 0, position: 0 }, drafts, clock.now());
      const [event] = rows;
      const again = [
        requestRow({ requestId }),
        { ...metaKey(requestId), metadata: {}, callbacks },
        outboxKey(source),
        segment,
        event!,
        deliveryRow(event!, account),
        deliveryRow(event!, callback),
        use,
      ];
      for (const put of again) await table.write({ put });
      return again;
    }
    isOver = true;
    await world.step().catch((error) => expect(error).toBeInstanceOf(ConditionFailed));
    const left = await table.getMany(tracked);
    expect({ freezeAt, left: left.map((row) => row && keyOf(row)) }).toEqual({
      freezeAt,
      left: tracked.map(keyOf),
    });
    await world.stop();
  }
});

const keyOf = ({ pk, sk }: RowKey) => ({ pk, sk });
