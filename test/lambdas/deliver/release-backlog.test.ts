import { expect, test } from 'vitest';
import type { EndpointRow } from '../../../lambdas/domain/delivering/endpoint.ts';
import { changed, type EndpointChange } from '../../../lambdas/domain/delivering/endpoint-change.ts';
import { QUIET_MS } from '../../../lambdas/domain/delivering/gate/gate.ts';
import type { EndpointHealth } from '../../../lambdas/domain/delivering/gate/health.ts';
import { intervalMs } from '../../../lambdas/domain/rate-interval.ts';
import { cancellationKey, endpointKey } from '../../../lambdas/domain/rows.ts';
import type { Hint } from '../../../lambdas/domain/work.ts';
import { createBacklogs, wakeGate } from '../../../lambdas/rows/backlog.ts';
import { change, deletion } from '../../../lambdas/rows/endpoints.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { type DeliveryWorld, deliveryWorld } from './delivery-world.ts';

const database = useDatabase();

/** What a PATCH does. */
async function patch(world: DeliveryWorld, endpoint: EndpointRow, given: EndpointChange): Promise<void> {
  const current = await world.current(endpoint);
  await world.table.transact(change(current, changed(current, given), world.clock.now()).writes);
}

const enable = (world: DeliveryWorld, endpoint: EndpointRow, enabled: boolean) =>
  patch(world, endpoint, { enabled });

test('what arrives while an endpoint is disabled is held, and sent when it is enabled, oldest first', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { enabled: false });
  for (let event = 0; event < 7; event++) {
    await (await world.request()).observe('video.accepted');
    await world.work();
  }
  const held = await world.deliveries(endpoint);
  expect(held.map(({ state }) => state)).toEqual(Array(7).fill('held'));
  expect(world.posted).toEqual([]);

  await enable(world, endpoint, true);
  await world.pass(10_000);
  expect(world.idsPostedTo(endpoint)).toEqual(held.map(({ eventId }) => eventId));
  expect((await world.deliveries(endpoint)).map(({ state }) => state)).toEqual(Array(7).fill('delivered'));
});

test('what is held goes out within the rate limit', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { enabled: false, rateLimit: 2 });
  const { observe } = await world.request();
  for (let event = 0; event < 30; event++) await observe('video.processing');
  await world.work();
  await enable(world, endpoint, true);
  await world.pass(60_000);
  expect(world.posted).toHaveLength(30);
  const times = world.posted.map(({ at }) => at);
  for (const from of times) {
    expect(times.filter((time) => time >= from && time < from + 1_000).length).toBeLessThanOrEqual(2);
  }
});

test('a delivery that was under way when the endpoint was disabled is held with its schedule', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  world.farSide = () => 500;
  await (await world.request()).observe('video.accepted');
  await world.work();
  await enable(world, endpoint, false);
  await world.pass(10_000);
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'held', attemptCount: 1, failures: 1 }]);
  world.farSide = () => 204;
  await enable(world, endpoint, true);
  await world.pass(10_000);
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'delivered', attemptCount: 2 }]);
});

test('the log names a delivery, its event, endpoint and request when it is dispatched, attempted and held', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  world.farSide = () => 500;
  const { requestId, observe } = await world.request();
  await observe('video.accepted');
  await world.work();
  await enable(world, endpoint, false);
  await world.pass(10_000);
  const [delivery] = await world.deliveries(endpoint);
  const ids = { requestId, eventId: delivery?.eventId, endpointId: endpoint.id, deliveryId: delivery?.id };
  expect(world.lines).toMatchObject([
    ['dispatched', { requestId, deliveries: [delivery?.id] }],
    ['attempted', { ...ids, state: 'pending' }],
    ['waits', { ...ids, state: 'held' }],
  ]);
});

test('what entered the backlog late, by a worker that knew the endpoint as disabled, is found by the last check', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { enabled: false });
  const { observe } = await world.request();
  await observe('video.accepted');
  await world.work();
  const [late] = await world.deliveries(endpoint);
  const backlogs = createBacklogs(world.table);
  const [entry] = (await backlogs.first(endpoint, 1)).rows;
  await world.table.write({ delete: entry! });

  await enable(world, endpoint, true);
  await world.pass(50_000);
  expect((await world.deliveries(endpoint))[0]).toMatchObject({ state: 'held' });
  await world.table.write({ put: entry! });
  await world.pass(QUIET_MS);
  expect(world.idsPostedTo(endpoint)).toEqual([late?.eventId]);
  await world.pass(QUIET_MS);
  expect((await world.current(endpoint)).lane).toBeUndefined();
});

test('a place is not lost to a delivery that comes back to it while its release is refused', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { enabled: false });
  await (await world.request()).observe('video.accepted');
  await world.work();
  const [delivery] = await world.deliveries(endpoint);
  const { pk, sk, backlogKey } = delivery!;
  const backlogs = createBacklogs({
    ...world.table,
    transact: (writes) =>
      world.table.transact(writes).catch(async (error) => {
        await world.table.write({ update: { pk, sk }, set: { backlogKey } });
        throw error;
      }),
  });
  const [entry] = (await backlogs.first(endpoint, 1)).rows;
  // A person sends it.
  await world.table.write({ update: { pk, sk }, remove: ['backlogKey'] });
  expect(await backlogs.release(entry!, 'deliver', world.clock.now())).toBeUndefined();
  expect((await backlogs.first(endpoint, 1)).rows).toEqual([entry]);

  await enable(world, endpoint, true);
  await world.pass(10_000);
  expect(world.idsPostedTo(endpoint)).toEqual([delivery?.eventId]);
});

test('the place of a delivery that is gone, or was sent meanwhile, is deleted', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { enabled: false });
  const { observe } = await world.request();
  await observe('video.accepted', 'video.processing');
  await world.work();
  const [erased, sent] = await world.deliveries(endpoint);
  await world.table.write({ delete: erased! });
  await world.table.write({ update: sent!, set: { state: 'delivered' }, remove: ['backlogKey'] });
  await enable(world, endpoint, true);
  await world.pass(10_000);
  expect((await createBacklogs(world.table).first(endpoint, 10)).rows).toEqual([]);
  expect(world.posted).toEqual([]);
});

test('a deleted endpoint: what it still had to get is canceled, held or pending, and nothing is left waiting', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  world.farSide = () => 500;
  const { observe } = await world.request();
  await observe('video.accepted');
  await world.work();
  await enable(world, endpoint, false);
  await observe('video.processing');
  await world.work();
  expect((await world.deliveries(endpoint)).map(({ state }) => state)).toEqual(['pending', 'held']);

  await world.table.transact(deletion(await world.current(endpoint), world.clock.now(), 30).writes);
  await world.pass(QUIET_MS + 10_000);
  expect((await world.deliveries(endpoint)).map(({ state }) => state)).toEqual(['canceled', 'canceled']);
  expect((await createBacklogs(world.table).first(endpoint, 10)).rows).toEqual([]);
  expect(await world.table.get(cancellationKey(endpoint.id))).toBeUndefined();
});

/** Fans out what was observed, and leaves the deliveries to the test. */
async function fannedOut(world: DeliveryWorld): Promise<Hint[]> {
  await world.invoke('dispatch', await world.due('dispatch'));
  return world.due('deliver-slow');
}

/** How many of the rows are sent at once, when each has a worker of its own and none is answered before all have begun. */
async function sentAtOnce(world: DeliveryWorld, rows: readonly Hint[]): Promise<number> {
  let underWay = 0;
  let ended = 0;
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const look = () => underWay + ended === rows.length && answer();
  world.farSide = async () => {
    underWay++;
    look();
    await answered;
    return 204;
  };
  await Promise.all(
    rows.map(async (row) => {
      await world.invoke('deliver-slow', [row]);
      ended++;
      look();
    }),
  );
  return underWay;
}

test.each<[string, EndpointHealth, number]>([
  ['new', { state: 'healthy' }, 3],
  ['slow', { state: 'healthy', lastDeliveredAt: 1, slow: true }, 5],
  ['failing', { state: 'failing', failingSince: 1, failures: 1 }, 2],
])('a burst keeps a %s endpoint busy by only so many attempts at a time', async (_what, health, most) => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { health });
  const requests = await Promise.all(Array.from({ length: 20 }, () => world.request()));
  for (const { observe } of requests) await observe('video.accepted');
  const due = await fannedOut(world);
  expect(due).toHaveLength(20);
  expect(await sentAtOnce(world, due)).toBe(most);
  // The others found no slot; the first of them woke the gate for all.
  const gate = endpointKey(endpoint.id);
  expect(world.hints.sent.filter(({ hint }) => hint.pk === gate.pk && hint.sk === gate.sk)).toHaveLength(1);

  await world.pass(30_000);
  expect((await world.deliveries(endpoint)).map(({ state }) => state)).toEqual(Array(20).fill('delivered'));
  expect(world.posted).toHaveLength(20);
  expect((await world.current(endpoint)).health).toMatchObject({ state: 'healthy' });
});

test('two workers that release one backlog at once send nothing twice, and leave nothing', async () => {
  let meanwhile: (() => Promise<void>) | undefined;
  const world = await deliveryWorld(database(), {
    wrap: (table) => ({
      ...table,
      query: async (query) => {
        const page = await table.query<never>(query);
        const second = query.partition.startsWith('BACKLOG#') ? meanwhile : undefined;
        if (second) meanwhile = undefined;
        await second?.();
        return page;
      },
    }),
  });
  const endpoint = await world.endpoint(1, { enabled: false });
  const { observe } = await world.request();
  for (let event = 0; event < 30; event++) await observe('video.processing');
  await world.work();
  const held = await world.deliveries(endpoint);
  await enable(world, endpoint, true);
  let released = 0;
  meanwhile = async () => {
    const { write, due } = wakeGate(await world.current(endpoint), world.clock.now());
    await world.table.write(write);
    await world.invoke(due.lane, [due]);
    released = (await world.due('deliver', world.clock.now() + 10_000)).length;
  };
  await world.pass(10_000);
  expect(released).toBeGreaterThanOrEqual(30);
  expect(world.idsPostedTo(endpoint).toSorted()).toEqual(held.map(({ eventId }) => eventId));
  expect((await createBacklogs(world.table).first(endpoint, 10)).rows).toEqual([]);
});

test('a rate limit holds for a burst: no second sees more, and all of it arrives', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { rateLimit: 5 });
  const requests = await Promise.all(Array.from({ length: 40 }, () => world.request()));
  for (const { observe } of requests) await observe('video.accepted');
  await world.pass(30_000);
  const times = world.posted.map(({ at }) => at).sort((a, b) => a - b);
  expect(times).toHaveLength(40);
  for (const from of times) {
    expect(times.filter((time) => time >= from && time < from + 1_000).length).toBeLessThanOrEqual(5);
  }
  expect(new Set(world.idsPostedTo(endpoint)).size).toBe(40);
});

test('a delivery without a slot wakes a gate that fell quiet since its invocation began', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { rateLimit: 0.1 });
  const { observe } = await world.request();
  await observe('video.requested', 'video.accepted');
  await world.invoke('dispatch', await world.due('dispatch'));
  const gate = (set: Record<string, unknown>) => world.table.write({ update: endpointKey(endpoint.id), set });
  await gate({ lane: 'deliver', dueAt: world.clock.now() + 1_000 });
  world.farSide = async () => {
    await gate({ dueAt: world.clock.now() + QUIET_MS, quietSince: world.clock.now() });
    return 204;
  };
  const due = await world.due('deliver');
  await world.invoke(
    'deliver',
    due.filter(({ pk }) => pk.startsWith('DEL#')),
  );
  expect(world.posted).toHaveLength(1);
  await world.pass(15_000);
  expect(world.posted).toHaveLength(2);
});

test('a low rate limit is used to the full: an event goes out each interval', async () => {
  const world = await deliveryWorld(database());
  await world.endpoint(1, { rateLimit: 0.01 });
  const { observe } = await world.request();
  for (let event = 0; event < 5; event++) await observe('video.processing');
  await world.pass(4 * intervalMs(0.01) + 10_000);
  const times = world.posted.map(({ at }) => at);
  expect(times).toHaveLength(5);
  for (const [i, at] of times.slice(1).entries()) {
    expect(at - times[i]!).toBeGreaterThanOrEqual(intervalMs(0.01));
  }
});

test('what waits by a low rate limit goes out by a higher one as soon as that is set', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { rateLimit: 0.001 });
  const { observe } = await world.request();
  for (let event = 0; event < 5; event++) await observe('video.processing');
  await world.pass(20_000);
  expect(world.posted).toHaveLength(1);
  await patch(world, endpoint, { rateLimit: 10 });
  await world.pass(10_000);
  expect(world.posted).toHaveLength(5);
});

test('a clock that was an hour ahead once does not keep an endpoint waiting', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { rateLimit: 1 });
  const { observe } = await world.request();
  world.clock.advance(3_600_000);
  await observe('video.accepted');
  await world.work();
  const releasedUntil = world.clock.now();
  world.clock.advance(-3_600_000);
  await world.table.write({ update: endpoint, set: { releasedUntil } });
  for (let event = 0; event < 5; event++) await observe('video.processing');
  await world.pass(20_000);
  expect(world.posted).toHaveLength(6);
});
