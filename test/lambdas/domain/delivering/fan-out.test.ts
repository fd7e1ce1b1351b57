import { expect, test } from 'vitest';
import type { DeliveryRow } from '../../../../lambdas/domain/delivering/delivery.ts';
import type { EndpointRow } from '../../../../lambdas/domain/delivering/endpoint.ts';
import {
  type Audience,
  type Cursors,
  lowestCursor,
  newDeliveries,
  nextBatch,
} from '../../../../lambdas/domain/delivering/fan-out.ts';
import type { EventRow } from '../../../../lambdas/domain/events/event.ts';
import { numberEvents } from '../../../../lambdas/domain/events/event.ts';
import type { EventType } from '../../../../lambdas/domain/events/event-types.ts';
import { endpointRow, REQUEST_ID, START } from '../../../support/rows.ts';

/** An account-wide endpoint is its own gate. */
const itself = (endpoint: EndpointRow) => ({ endpoint, gate: endpoint });

const START_CURSORS: Cursors = { accountCursor: { position: 0 }, callbackCursors: {} };

function events(...types: EventType[]): EventRow[] {
  const drafts = types.map((type) => ({ type, data: {} }));
  return numberEvents({ kind: 'request', requestId: REQUEST_ID }, { sequence: 0, position: 0 }, drafts, START)
    .rows;
}

function audience(endpoints: number, callbacks: string[][] = []): Audience {
  return {
    account: Array.from({ length: endpoints }, (_, n) => itself(endpointRow(n))),
    callbacks: callbacks.map((filter, n) => {
      const endpoint = endpointRow(200 + n, { kind: 'callback' });
      const callback = { endpointId: endpoint.id, url: endpoint.url ?? '', events: filter };
      return { callback, target: itself(endpoint) };
    }),
  };
}

/** Fans out to the end and names each delivery as `position>endpoint`. */
function fanOut(cursors: Cursors, all: EventRow[], to: Audience, most: number): string[][] {
  const batches: string[][] = [];
  const targets = [...to.account, ...to.callbacks.flatMap(({ target }) => target ?? [])];
  const ids = targets.map(({ endpoint }) => endpoint.id);
  let at = cursors;
  while (lowestCursor(at) < (all.at(-1)?.position ?? 0)) {
    const batch = nextBatch(at, all, to, most);
    batches.push(
      batch.deliveries.map(({ event, target }) => `${event.position}>${ids.indexOf(target.endpoint.id)}`),
    );
    at = batch.cursors;
  }
  return batches;
}

test('events go to every matching endpoint, in the order of the events', () => {
  const batches = fanOut(START_CURSORS, events('video.accepted', 'video.complete'), audience(2), 90);
  expect(batches).toEqual([['1>0', '1>1', '2>0', '2>1']]);
});

test('a batch holds no more than fits a transaction', () => {
  const batches = fanOut(START_CURSORS, events('video.accepted', 'video.complete'), audience(2), 3);
  expect(batches).toEqual([
    ['1>0', '1>1'],
    ['2>0', '2>1'],
  ]);
});

test('an event for more endpoints than fit is fanned out in parts, to none twice', () => {
  const batches = fanOut(START_CURSORS, events('video.accepted'), audience(5, [['video.*']]), 2);
  expect(batches).toEqual([
    ['1>0', '1>1'],
    ['1>2', '1>3'],
    ['1>4', '1>5'],
  ]);
});

test('filters are heeded', () => {
  const to = audience(0, [['video.complete'], ['video.*'], ['progress.*']]);
  expect(fanOut(START_CURSORS, events('video.accepted', 'video.complete'), to, 90)).toEqual([
    ['1>1', '2>0', '2>1'],
  ]);
});

test('a callback that was added late gets the earlier events, and no other endpoint gets them again', () => {
  const to = audience(1, [['video.*'], ['video.*']]);
  const [first, late] = to.callbacks.map(({ callback }) => callback.endpointId) as [string, string];
  const cursors = { accountCursor: { position: 2 }, callbackCursors: { [first]: 2, [late]: 0 } };
  expect(fanOut(cursors, events('video.accepted', 'video.complete'), to, 90)).toEqual([['1>2', '2>2']]);
});

test('a callback whose endpoint was deleted is passed over', () => {
  const to = audience(0, [['video.*']]);
  const gone = {
    account: [],
    callbacks: to.callbacks.map(({ callback }) => ({ callback, target: undefined })),
  };
  expect(
    fanOut(
      { ...START_CURSORS, callbackCursors: { [to.callbacks[0]?.callback.endpointId ?? '']: 0 } },
      events('video.accepted'),
      gone,
      90,
    ),
  ).toEqual([[]]);
});

test('an event for one endpoint alone reaches it whatever its filter', () => {
  const [event] = events('endpoint.test') as [EventRow];
  const to = audience(3);
  const only = { ...event, onlyTo: to.account[1]?.endpoint.id };
  expect(fanOut(START_CURSORS, [only], to, 90)).toEqual([['1>1']]);
});

test('events about an endpoint go to all other endpoints', () => {
  const all = {
    ...audience(0),
    account: [1, 2].map((n) => itself(endpointRow(n, { events: ['endpoint.*'] }))),
  };
  const about = all.account[0]?.endpoint.id ?? '';
  const draft = { type: 'endpoint.disabled' as const, data: {} };
  const { rows } = numberEvents(
    { kind: 'endpoint', endpointId: about },
    { sequence: 0, position: 0 },
    [draft],
    START,
  );
  expect(fanOut(START_CURSORS, rows, all, 90)).toEqual([['1>1']]);
});

test('a delivery carries the body with the metadata, and the id of its event', () => {
  const [event] = events('video.accepted') as [EventRow];
  const [delivery] = newDeliveries([{ event, target: itself(endpointRow(1)) }], {}, { order: '42' }, START)
    .rows as [DeliveryRow];
  expect(JSON.parse(delivery.body)).toEqual({
    id: event.id,
    type: 'video.accepted',
    timestamp: '2026-11-23T20:00:00.000Z',
    data: { requestId: REQUEST_ID, sequence: 1, metadata: { order: '42' } },
  });
  expect(delivery).toMatchObject({
    eventId: event.id,
    sk: event.id,
    requestId: REQUEST_ID,
    state: 'pending',
  });
});

test('what goes to an ordered endpoint names the event before it, across batches; others name none', () => {
  const [first, second, third] = events('video.accepted', 'video.processing', 'video.complete') as [
    EventRow,
    EventRow,
    EventRow,
  ];
  const ordered = itself(endpointRow(1, { ordered: true }));
  const other = itself(endpointRow(2));
  const batch = newDeliveries(
    [first, second].flatMap((event) => [ordered, other].map((target) => ({ event, target }))),
    {},
    undefined,
    START,
  );
  expect(batch.rows.map((row) => row.predecessor)).toEqual([undefined, undefined, first.id, undefined]);
  const next = newDeliveries([{ event: third, target: ordered }], batch.chains, undefined, START);
  expect(next.rows[0]?.predecessor).toBe(second.id);
});

test('a test goes out through an open breaker, which keeps the other events', () => {
  const endpoint = endpointRow(1, { health: { state: 'failing', failingSince: 1, openSince: 1 } });
  const [other, tested] = events('video.accepted', 'video.complete');
  if (!other || !tested) throw new Error('two events were drafted');
  const batch = [other, { ...tested, onlyTo: endpoint.id }].map((event) => ({
    event,
    target: itself(endpoint),
  }));
  expect(newDeliveries(batch, {}, undefined, START).rows).toEqual([
    expect.objectContaining({ state: 'held' }),
    expect.objectContaining({ lane: 'deliver-slow', bypassesBreaker: true }),
  ]);
});
