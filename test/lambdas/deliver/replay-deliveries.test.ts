import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Write } from '../../../lambdas/adapters/dynamodb/expression.ts';
import type { Table } from '../../../lambdas/adapters/dynamodb/table.ts';
import type { DeliveryRow } from '../../../lambdas/domain/delivering/delivery.ts';
import type { EndpointRow } from '../../../lambdas/domain/delivering/endpoint.ts';
import { changed } from '../../../lambdas/domain/delivering/endpoint-change.ts';
import { GATE_LANE } from '../../../lambdas/domain/delivering/gate/gate.ts';
import { type ReplayRow, replayState } from '../../../lambdas/domain/delivering/replay.ts';
import { numberEvents } from '../../../lambdas/domain/events/event.ts';
import { replayId } from '../../../lambdas/domain/ids.ts';
import { eventExpiry } from '../../../lambdas/domain/retention.ts';
import { replayKey } from '../../../lambdas/domain/rows.ts';
import { createBacklogs } from '../../../lambdas/rows/backlog.ts';
import { change, deletion } from '../../../lambdas/rows/endpoints.ts';
import { doneInReplay } from '../../../lambdas/rows/replays.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { deliveryRow } from '../../support/rows.ts';
import { type DeliveryWorld, deliveryWorld } from './delivery-world.ts';

const database = useDatabase();

/** Deliveries that ended long ago, one a second from `start`; returns their events' ids. */
async function past(
  world: DeliveryWorld,
  endpoint: EndpointRow,
  start: number,
  states: readonly DeliveryRow['state'][],
): Promise<string[]> {
  const rows = states.map((state, i) => {
    const source = { kind: 'request', requestId: randomUUID() } as const;
    const [event] = numberEvents(
      source,
      { sequence: 0, position: 0 },
      [{ type: 'video.complete', data: {} }],
      start + i * 1_000,
    ).rows;
    const { lane, dueAt, ...row } = { dueAt: 0, ...deliveryRow(event!, endpoint) };
    const final = { state, attemptCount: 10, failures: 10, expiresAt: 4_000_000_000 };
    return {
      ...row,
      ...final,
    };
  });
  for (let at = 0; at < rows.length; at += 100) {
    await world.table.transact(rows.slice(at, at + 100).map((put): Write => ({ put })));
  }
  return rows.map(({ eventId }) => eventId);
}

async function startReplay(
  world: DeliveryWorld,
  endpoint: EndpointRow,
  given: Pick<ReplayRow, 'since' | 'until' | 'of'>,
) {
  const id = replayId(randomBytes(16));
  const now = world.clock.now();
  const row: ReplayRow = {
    ...replayKey(id),
    id,
    endpointId: endpoint.id,
    ...given,
    createdAt: now,
    matched: 0,
    queued: 0,
    lane: GATE_LANE,
    dueAt: now,
    expiresAt: 4_000_000_000,
  };
  await world.table.write({ put: row });
  return async () => {
    const current = (await world.table.get<ReplayRow>(replayKey(id)))!;
    const { matched, queued } = current;
    const done = await doneInReplay(world.table, id);
    return { state: replayState(current, done), matched, queued, done };
  };
}

test('120 events are sent again by their old ids, each once, while new ones flow past them', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  const start = world.clock.now() - 10_000_000;
  const ids = await past(world, endpoint, start, Array(120).fill('failed'));
  const progress = await startReplay(world, endpoint, {
    since: start,
    until: world.clock.now(),
    of: 'failed',
  });

  const { observe } = await world.request();
  const waited: number[] = [];
  for (let second = 0; second < 15; second += 5) {
    const before = world.posted.length;
    const observedAt = world.clock.now() + 1;
    await observe('video.processing');
    await world.pass(5_000);
    const fresh = world.posted.slice(before).find(({ id }) => !ids.includes(id));
    waited.push((fresh?.at ?? Number.POSITIVE_INFINITY) - observedAt);
  }
  await world.pass(60_000);

  expect(await progress()).toEqual({ state: 'done', matched: 120, queued: 120, done: 120 });
  const replayed = world.posted.map(({ id }) => id).filter((id) => ids.includes(id));
  expect(replayed).toHaveLength(120);
  expect(new Set(replayed).size).toBe(120);
  expect(Math.max(...waited)).toBeLessThan(1_000);
});

test('while a replay goes on within a low rate limit, new events are not kept waiting for it, nor it for them', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { rateLimit: 1 });
  const start = world.clock.now() - 1_000_000;
  const ids = await past(world, endpoint, start, Array(60).fill('failed'));
  const progress = await startReplay(world, endpoint, {
    since: start,
    until: world.clock.now(),
    of: 'failed',
  });
  await world.pass(5_000);

  const { observe } = await world.request();
  const waited: number[] = [];
  for (let minute = 0; minute < 6; minute++) {
    const observedAt = world.clock.now() + 1;
    const before = world.posted.length;
    await observe('video.processing', 'video.processing', 'video.processing');
    await world.pass(10_000);
    const fresh = world.posted.slice(before).filter(({ id }) => !ids.includes(id));
    waited.push(...fresh.map(({ at }) => at - observedAt));
  }
  // What was released before them, their place in the look-ahead, and a replayed one between them.
  expect(Math.max(...waited)).toBeLessThan(20_000);
  expect((await progress()).done).toBeGreaterThan(20);
  await world.pass(60_000);
  expect(world.posted).toHaveLength(60 + 18);
  expect(await progress()).toMatchObject({ state: 'done', done: 60 });
});

test('a burst of new events leaves a replay a share of a low rate limit', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { rateLimit: 1 });
  const start = world.clock.now() - 1_000_000;
  const ids = await past(world, endpoint, start, Array(20).fill('failed'));
  await startReplay(world, endpoint, { since: start, until: world.clock.now(), of: 'failed' });
  const { observe } = await world.request();
  for (let event = 0; event < 80; event++) await observe('video.processing');
  await world.pass(60_000);
  const replayed = world.posted.filter(({ id }) => ids.includes(id)).length;
  expect(replayed).toBeGreaterThan(8);
  expect(replayed).toBeLessThan(20);
});

test('replayed deliveries that a disabled endpoint holds go out when it is enabled', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { enabled: false });
  const start = world.clock.now() - 1_000_000;
  const ids = await past(world, endpoint, start, Array(3).fill('failed'));
  const progress = await startReplay(world, endpoint, {
    since: start,
    until: world.clock.now(),
    of: 'failed',
  });
  await world.pass(10_000);
  expect(world.posted).toEqual([]);
  const disabled = await world.current(endpoint);
  await world.table.transact(
    change(disabled, changed(disabled, { enabled: true }), world.clock.now()).writes,
  );
  await world.pass(10_000);
  expect(world.idsPostedTo(endpoint)).toEqual(ids);
  expect(await progress()).toMatchObject({ state: 'done' });
});

test('a replay takes the failed of its time range, or all, and leaves pending and canceled ones alone', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  const start = world.clock.now() - 1_000_000;
  const ids = await past(world, endpoint, start, ['failed', 'delivered', 'failed', 'canceled', 'failed']);
  const range = { since: start + 1_000, until: start + 4_000 };

  const failed = await startReplay(world, endpoint, { ...range, of: 'failed' });
  await world.pass(20_000);
  expect(world.idsPostedTo(endpoint)).toEqual([ids[2]]);
  expect(await failed()).toEqual({ state: 'done', matched: 1, queued: 1, done: 1 });

  world.posted.length = 0;
  const all = await startReplay(world, endpoint, { ...range, of: 'all' });
  await world.pass(20_000);
  expect(world.idsPostedTo(endpoint).toSorted()).toEqual([ids[1], ids[2]]);
  expect(await all()).toEqual({ state: 'done', matched: 2, queued: 2, done: 2 });
});

test('a replayed delivery begins a new schedule, and counts as done only when that ends', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  const start = world.clock.now() - 1_000_000;
  await past(world, endpoint, start, ['failed']);
  world.farSide = () => 500;
  const progress = await startReplay(world, endpoint, { since: start, until: world.clock.now(), of: 'all' });
  await world.pass(10_000);
  expect(await world.deliveries(endpoint)).toMatchObject([
    { state: 'pending', failures: 2, attemptCount: 12 },
  ]);
  expect(await progress()).toEqual({ state: 'sending', matched: 1, queued: 1, done: 0 });
  world.farSide = () => 204;
  await world.pass(400_000);
  expect(await progress()).toMatchObject({ state: 'done', done: 1 });
});

test('a replay that is killed before it notes a page goes on without sending or counting anything twice', async () => {
  let killing = true;
  let dead = false;
  const world = await deliveryWorld(database(), {
    wrap: (table) => ({
      ...table,
      write: async (change) => {
        const notes =
          'update' in change && change.update.pk.startsWith('REPLAY#') && 'cursor' in (change.set ?? {});
        dead ||= killing && notes;
        if (dead) throw new Error('killed');
        return table.write(change);
      },
    }),
  });
  const endpoint = await world.endpoint(1);
  const start = world.clock.now() - 1_000_000;
  const ids = await past(world, endpoint, start, Array(110).fill('failed'));
  const progress = await startReplay(world, endpoint, {
    since: start,
    until: world.clock.now(),
    of: 'failed',
  });
  await world.work();
  expect(await progress()).toMatchObject({ matched: 0 });
  expect((await world.deliveries(endpoint)).filter(({ state }) => state === 'pending')).toHaveLength(100);

  killing = false;
  dead = false;
  await world.pass(200_000);
  expect(await progress()).toEqual({ state: 'done', matched: 110, queued: 110, done: 110 });
  expect(world.idsPostedTo(endpoint).sort()).toEqual(ids);
});

test('the replay of an endpoint that is deleted meanwhile comes to its end', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { rateLimit: 1 });
  const start = world.clock.now() - 1_000_000;
  await past(world, endpoint, start, Array(40).fill('failed'));
  const progress = await startReplay(world, endpoint, {
    since: start,
    until: world.clock.now(),
    of: 'failed',
  });
  await world.pass(5_000);
  expect(await progress()).toMatchObject({ state: 'sending', queued: 40 });
  await world.table.transact(deletion(await world.current(endpoint), world.clock.now(), 30).writes);
  await world.pass(300_000);
  expect(await progress()).toMatchObject({ state: 'done', queued: 40, done: 40 });
});

/** A table that is down once after each page of `partition` that the replay has noted. */
function downBetweenPages() {
  let noted = false;
  const wrap = (table: Table): Table => ({
    ...table,
    write: async (change) => {
      if ('update' in change && change.set?.cursor !== undefined) noted = true;
      return table.write(change);
    },
    query: async (query) => {
      if (!noted || !query.partition.startsWith('DEL#')) return table.query(query);
      noted = false;
      throw new Error('the table is down');
    },
  });
  return { wrap };
}

test('a replay that progresses by a page at a time is never parked, however often it fails in between', async () => {
  const world = await deliveryWorld(database(), downBetweenPages());
  const endpoint = await world.endpoint(1, { kind: 'pull' });
  const start = world.clock.now() - 10_000_000;
  await past(world, endpoint, start, Array(950).fill('failed'));
  const progress = await startReplay(world, endpoint, {
    since: start,
    until: world.clock.now(),
    of: 'failed',
  });
  await world.pass(300_000);
  expect(await progress()).toEqual({ state: 'sending', matched: 950, queued: 950, done: 0 });
}, 60_000);

test('a delivery of a replay that is long forgotten still comes to its end', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  const start = world.clock.now() - 1_000_000;
  await past(world, endpoint, start, ['failed']);
  world.farSide = () => 500;
  await startReplay(world, endpoint, { since: start, until: world.clock.now(), of: 'all' });
  await world.pass(10_000);
  const [delivery] = await world.deliveries(endpoint);
  await world.table.write({ delete: replayKey(delivery!.replayId!) });
  await world.table.transact(deletion(await world.current(endpoint), world.clock.now(), 30).writes);
  await world.work();
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'canceled' }]);
});

test('a replayed delivery of a pull endpoint that is never fetched expires with its event', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { kind: 'pull' });
  const start = world.clock.now() - 1_000_000;
  await past(world, endpoint, start, ['failed']);
  await startReplay(world, endpoint, { since: start, until: world.clock.now(), of: 'all' });
  await world.pass(10_000);
  const [delivery] = await world.deliveries(endpoint);
  const [entry] = (await createBacklogs(world.table).first(endpoint, 1)).rows;
  const expiresAt = eventExpiry(world.clock.now(), 30);
  expect(delivery?.expiresAt).toBeGreaterThan(expiresAt - 60);
  expect(entry?.expiresAt).toBe(delivery?.expiresAt);
});
