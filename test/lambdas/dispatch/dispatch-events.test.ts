import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import type { Table } from '../../../lambdas/adapters/dynamodb/table.ts';
import { createDispatchEvents } from '../../../lambdas/dispatch/dispatch-events.ts';
import type { DeliveryRow } from '../../../lambdas/domain/delivering/delivery.ts';
import type { EndpointRow } from '../../../lambdas/domain/delivering/endpoint.ts';
import { GATE_LANE } from '../../../lambdas/domain/delivering/gate/gate.ts';
import type { EventType } from '../../../lambdas/domain/events/event-types.ts';
import type { OutboxRow } from '../../../lambdas/domain/events/outbox.ts';
import type { Callback } from '../../../lambdas/domain/requests/request.ts';
import { deliveryPartition, endpointKey, metaKey, outboxKey } from '../../../lambdas/domain/rows.ts';
import type { Claim } from '../../../lambdas/engine/claim-writes.ts';
import type { WorkContext } from '../../../lambdas/engine/stage.ts';
import { wake } from '../../../lambdas/engine/wake.ts';
import { createBacklogs } from '../../../lambdas/rows/backlog.ts';
import { eventWrites } from '../../../lambdas/rows/outbox.ts';
import { claimed, movingClock, testClaims } from '../../support/claims.ts';
import { startDatabase } from '../../support/dynamodb.ts';
import { expectHintsToNameRows, recordHints } from '../../support/recorded-hints.ts';
import { endpointRow } from '../../support/rows.ts';

/** A request with callbacks, account-wide endpoints, and what writes and dispatches its events. */
async function setUp(
  endpoints: EndpointRow[],
  callbacks: { endpoint: EndpointRow; events: string[] }[] = [],
) {
  const { table, stop } = await startDatabase();
  const clock = movingClock();
  const claims = testClaims(table, clock);
  const hints = recordHints(table);
  let transactions = Number.POSITIVE_INFINITY;
  const failing: Table = {
    ...table,
    transact: async (writes) => {
      if (transactions-- <= 0) throw new Error('the table is down');
      return table.transact(writes);
    },
  };
  const dispatchEvents = createDispatchEvents({
    table: failing,
    claims: testClaims(failing, clock),
    hints,
    now: clock.now,
    retentionDays: 30,
    log: { info: () => {} },
  });
  const context = { deadline: Number.POSITIVE_INFINITY, hint: hints.send };
  const dispatch = (claim: Claim<OutboxRow>, given: Partial<WorkContext> = {}) =>
    dispatchEvents(claim, { ...context, ...given });
  const source = { kind: 'request', requestId: randomUUID() } as const;
  const named: Callback[] = callbacks.map(({ endpoint, events }) => ({
    endpointId: endpoint.id,
    url: endpoint.url ?? '',
    events,
  }));
  await table.write({ put: { ...metaKey(source.requestId), metadata: { order: '42' }, callbacks: named } });
  const callbackCursors = Object.fromEntries(named.map(({ endpointId }) => [endpointId, 0]));
  await table.write({ put: { ...outboxKey(source), accountCursor: { position: 0 }, callbackCursors } });
  for (const endpoint of [...endpoints, ...callbacks.map(({ endpoint }) => endpoint)]) {
    await table.write({ put: { ...endpoint, ...endpointKey(endpoint.id) } });
  }

  let counters = { sequence: 0, position: 0 };
  async function observe(...types: EventType[]): Promise<void> {
    clock.advance(1_000);
    const drafts = types.map((type) => ({ type, data: { status: type.slice(6) } }));
    const events = eventWrites(source, counters, drafts, clock.now());
    await table.transact(events.writes);
    counters = events.counters;
  }
  const outbox = () => table.get<OutboxRow>(outboxKey(source));
  async function claim() {
    return claimed<OutboxRow>(claims, 'dispatch', {
      ...outboxKey(source),
      dueAt: (await outbox())?.dueAt ?? 0,
    });
  }
  async function deliveries(endpoint: EndpointRow): Promise<DeliveryRow[]> {
    return (
      await table.query<DeliveryRow>({
        partition: deliveryPartition(endpoint.id),
        limit: 100,
        consistent: true,
      })
    ).rows;
  }
  const types = async (endpoint: EndpointRow) => (await deliveries(endpoint)).map((row) => row.type);
  const failAfter = (count: number) => {
    transactions = count;
  };
  return {
    failAfter,
    table,
    stop,
    clock,
    hints,
    dispatch,
    source,
    observe,
    outbox,
    claim,
    deliveries,
    types,
  };
}

test('every event becomes one delivery per matching endpoint, and the outbox is done', async () => {
  const all = endpointRow(1);
  const some = endpointRow(2, { events: ['video.complete'] });
  const own = endpointRow(3, { kind: 'callback', health: { state: 'healthy' } });
  const { observe, dispatch, claim, types, outbox, deliveries, hints, stop } = await setUp(
    [all, some],
    [{ endpoint: own, events: ['video.*'] }],
  );
  await observe('video.accepted', 'video.complete');
  await dispatch(await claim());

  expect(await types(all)).toEqual(['video.accepted', 'video.complete']);
  expect(await types(some)).toEqual(['video.complete']);
  expect(await types(own)).toEqual(['video.accepted', 'video.complete']);
  expect(await outbox()).not.toHaveProperty('lane');
  expect(hints.of('deliver')).toHaveLength(3);
  // Nothing is known of the callback and its origin yet.
  expect(hints.of('deliver-slow')).toHaveLength(2);
  const [first] = await deliveries(own);
  expect(first).toMatchObject({
    state: 'pending',
    lane: 'deliver-slow',
  });
  await stop();
});

test('what was fanned out is not fanned out again', async () => {
  const endpoint = endpointRow(1);
  const { observe, dispatch, claim, types, hints, stop } = await setUp([endpoint]);
  await observe('video.accepted');
  await dispatch(await claim());
  await observe('video.complete');
  hints.clear();
  await dispatch(await claim());
  expect(await types(endpoint)).toEqual(['video.accepted', 'video.complete']);
  expect(hints.of('deliver')).toHaveLength(1);
  await stop();
});

test('an event written meanwhile takes the outbox away, and nothing is lost or doubled', async () => {
  const endpoint = endpointRow(1);
  const { observe, dispatch, claim, types, stop } = await setUp([endpoint]);
  await observe('video.accepted');
  const late = await claim();
  await observe('video.complete');
  await expect(dispatch(late)).rejects.toThrow(ConditionFailed);
  expect(await types(endpoint)).toEqual([]);
  await dispatch(await claim());
  expect(await types(endpoint)).toEqual(['video.accepted', 'video.complete']);
  await stop();
});

test('a callback added late receives all earlier matching events, in order, and no other endpoint gets them again', async () => {
  const first = endpointRow(1, { kind: 'callback' });
  const late = endpointRow(2, { kind: 'callback' });
  const { table, source, clock, observe, dispatch, claim, types, stop } = await setUp(
    [],
    [{ endpoint: first, events: ['video.*'] }],
  );
  await observe('video.accepted', 'video.processing');
  await dispatch(await claim());
  const callbacks = [first, late].map(({ id, url = '' }) => ({ endpointId: id, url, events: ['video.*'] }));
  await table.write({ put: { ...late, ...endpointKey(late.id) } });
  await table.transact([
    { update: metaKey(source.requestId), set: { callbacks } },
    wake(outboxKey(source), 'dispatch', clock.now() + 1, { set: { [`callbackCursors.${late.id}`]: 0 } })
      .write,
  ]);
  await dispatch(await claim());
  expect(await types(late)).toEqual(['video.accepted', 'video.processing']);
  expect(await types(first)).toEqual(['video.accepted', 'video.processing']);
  await stop();
});

test('many events for many endpoints go through in several transactions', async () => {
  const endpoints = Array.from({ length: 40 }, (_, n) => endpointRow(n));
  const { observe, dispatch, claim, types, outbox, stop } = await setUp(endpoints);
  await observe('video.requested', 'video.accepted', 'video.processing', 'video.complete', 'video.stored');
  await dispatch(await claim());
  for (const endpoint of endpoints) expect(await types(endpoint)).toHaveLength(5);
  expect(await outbox()).toMatchObject({ accountCursor: { position: 5 } });
  await stop();
});

test('an endpoint that fails, is slow or is new is sent its first attempts by the slow queue', async () => {
  const failing = endpointRow(1, { health: { state: 'failing', failingSince: 0, lastDeliveredAt: 0 } });
  const slow = endpointRow(2, { health: { state: 'healthy', lastDeliveredAt: 0, slow: true } });
  const unproven = endpointRow(3, { health: { state: 'healthy' } });
  const { observe, dispatch, claim, hints, stop } = await setUp([failing, slow, unproven]);
  await observe('video.accepted');
  await dispatch(await claim());
  expect(hints.of('deliver')).toEqual([]);
  expect(hints.of('deliver-slow')).toHaveLength(3);
  await stop();
});

test('what would only wait begins in a backlog: disabled, breaker open, or behind others', async () => {
  const open = { state: 'failing', failingSince: 0, openSince: 0 } as const;
  const awake = { lane: GATE_LANE, dueAt: 1 };
  const endpoints = [
    endpointRow(1, { enabled: false }),
    endpointRow(2, { health: open }),
    endpointRow(3, { rateLimit: 1, ...awake }),
    endpointRow(4, { kind: 'pull' }),
    endpointRow(5, awake),
  ];
  const { table, observe, dispatch, claim, deliveries, hints, stop } = await setUp(endpoints);
  await observe('video.accepted');
  await dispatch(await claim());
  const rows = (await Promise.all(endpoints.map((endpoint) => deliveries(endpoint)))).flat();
  expect(rows.map(({ state }) => state)).toEqual(['held', 'held', 'pending', 'pending', 'pending']);
  expect(rows.map(({ lane }) => lane)).toEqual([undefined, undefined, undefined, undefined, 'deliver']);
  expect(hints.sent).toHaveLength(1);
  const backlogs = createBacklogs(table);
  const waiting = await Promise.all(endpoints.map((endpoint) => backlogs.first(endpoint, 10)));
  expect(waiting.map((page) => page.rows.map(({ eventId }) => eventId))).toEqual([
    ...rows.slice(0, 4).map(({ eventId }) => [eventId]),
    [],
  ]);
  await stop();
});

test('endpoints with so many headers that they fill more than one page each get the event', async () => {
  const headers = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-${n}`, 'v'.repeat(1_000)]));
  const endpoints = Array.from({ length: 60 }, (_, n) => endpointRow(n + 1, { headers }));
  const { observe, dispatch, claim, types, stop } = await setUp(endpoints);
  await observe('video.accepted');
  await dispatch(await claim());
  expect(await Promise.all(endpoints.map(types))).toEqual(endpoints.map(() => ['video.accepted']));
  await stop();
});

test('a callback that is named again gets what it was not sent, and nothing twice', async () => {
  const own = endpointRow(1, { kind: 'callback', health: { state: 'healthy' } });
  const { table, source, observe, dispatch, claim, deliveries, types, hints, outbox, stop } = await setUp(
    [],
    [{ endpoint: own, events: ['video.*'] }],
  );
  await observe('video.accepted');
  await dispatch(await claim());
  const [first] = await deliveries(own);
  await table.write({ update: first!, set: { state: 'canceled' }, remove: ['lane', 'dueAt'] });
  await table.write({ delete: endpointKey(own.id) });
  await observe('video.processing');
  await dispatch(await claim());
  expect(await types(own)).toEqual(['video.accepted']);

  await table.write({ put: { ...own, ...endpointKey(own.id) } });
  await table.write({ update: outboxKey(source), set: { [`callbackCursors.${own.id}`]: 0 } });
  await observe('video.complete');
  hints.clear();
  await dispatch(await claim());
  expect(await deliveries(own)).toMatchObject([
    { type: 'video.accepted', state: 'canceled' },
    { type: 'video.processing', state: 'pending' },
    { type: 'video.complete', state: 'pending' },
  ]);
  expect(hints.of('deliver-slow')).toHaveLength(2);
  expect(await outbox()).not.toHaveProperty('lane');
  await stop();
});

test('a fan-out that runs out of time goes on in another call, and hints the due time that its row has', async () => {
  const endpoints = Array.from({ length: 40 }, (_, n) => endpointRow(n));
  const { table, clock, observe, dispatch, claim, types, outbox, hints, stop } = await setUp(endpoints);
  await observe('video.requested', 'video.accepted', 'video.processing', 'video.complete', 'video.stored');
  await dispatch(await claim(), { deadline: clock.now() - 1 });
  expect(await outbox()).toMatchObject({ lane: 'dispatch', accountCursor: { position: 1 } });
  await expectHintsToNameRows(table, { sent: hints.sent.filter(({ lane }) => lane === 'dispatch') });
  for (let calls = 1; calls < 5; calls++) await dispatch(await claim(), { deadline: clock.now() - 1 });
  expect(await outbox()).not.toHaveProperty('lane');
  for (const endpoint of endpoints) expect(await types(endpoint)).toHaveLength(5);
  await stop();
});

test('a fan-out that progresses is not parked, however often it fails in between', async () => {
  const endpoints = Array.from({ length: 40 }, (_, n) => endpointRow(n));
  const { observe, dispatch, claim, outbox, failAfter, stop } = await setUp(endpoints);
  await observe('video.requested', 'video.accepted', 'video.processing', 'video.complete', 'video.stored');
  const claimed = await claim();
  failAfter(2);
  await expect(dispatch(claimed)).rejects.toThrow('the table is down');
  expect(await outbox()).toMatchObject({ accountCursor: { position: 2 }, owner: claimed.nonce });
  expect(await outbox()).not.toHaveProperty('claims');
  await stop();
});
