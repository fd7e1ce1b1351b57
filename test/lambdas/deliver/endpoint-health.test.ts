import { expect, test } from 'vitest';
import { ExchangeError } from '../../../lambdas/adapters/http/exchange-error.ts';
import type { DeliveryRow } from '../../../lambdas/domain/delivering/delivery.ts';
import { changed } from '../../../lambdas/domain/delivering/endpoint-change.ts';
import { GIVE_UP_AFTER_MS } from '../../../lambdas/domain/delivering/gate/health.ts';
import { SAMPLE_DATA } from '../../../lambdas/domain/events/event-samples.ts';
import { change } from '../../../lambdas/rows/endpoints.ts';
import { testClock } from '../../support/claims.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { deliveryWorld, type Posted } from './delivery-world.ts';

const database = useDatabase();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const fieldsOf = (data: object) => Object.keys(data).sort();
const dataOf = (row: DeliveryRow | undefined) => JSON.parse(row?.body ?? '{}').data;

test('after five failures in a row nothing new goes out: it is held, and only retries go on', async () => {
  const world = await deliveryWorld(database());
  const dead = await world.endpoint(1);
  world.farSide = () => 500;
  for (let event = 0; event < 8; event++) {
    await (await world.request()).observe('video.accepted');
    await world.work();
  }
  expect((await world.current(dead)).health).toMatchObject({ state: 'failing', failures: 5 });
  const states = (await world.deliveries(dead)).map(({ state }) => state);
  expect(states).toEqual([...Array(5).fill('pending'), ...Array(3).fill('held')]);
  expect(world.posted).toHaveLength(5);

  await world.pass(10_000);
  expect(world.posted).toHaveLength(10);
  expect(new Set(world.idsPostedTo(dead)).size).toBe(5);
});

test('a single time-out opens the breaker: it costs a worker 15 s', async () => {
  const world = await deliveryWorld(database(), { clock: testClock() });
  const slow = await world.endpoint(1);
  world.farSide = () => {
    world.clock.advance(15_000);
    return new ExchangeError('timeout', 'too slow');
  };
  await (await world.request()).observe('video.accepted');
  await world.work();
  expect((await world.current(slow)).health.openSince).toBe(world.clock.now());
});

test('probes go out one by one, the oldest held first, and the first success releases all, in order', async () => {
  const world = await deliveryWorld(database(), { clock: testClock() });
  const endpoint = await world.endpoint(1);
  world.farSide = () => 500;
  for (let event = 0; event < 10; event++) {
    await (await world.request()).observe('video.accepted');
    await world.work();
  }
  const ids = (await world.deliveries(endpoint)).map(({ eventId }) => eventId);
  await world.pass(16_000);
  expect(world.idsPostedTo(endpoint).slice(10)).toEqual([ids[5]]);

  world.farSide = () => 204;
  world.posted.length = 0;
  await world.pass(5 * MINUTE);
  expect((await world.deliveries(endpoint)).every(({ state }) => state === 'delivered')).toBe(true);
  expect(world.idsPostedTo(endpoint).filter((id) => ids.indexOf(id) > 5)).toEqual(ids.slice(6));
  expect((await world.current(endpoint)).health).toMatchObject({ state: 'healthy' });
});

test('an open breaker with nothing to probe with lets the next delivery be the probe', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  world.farSide = () => 500;
  for (let event = 0; event < 5; event++) {
    await (await world.request()).observe('video.accepted');
    await world.work();
  }
  await world.pass(10 * MINUTE);
  expect((await world.current(endpoint)).health.openSince).toBeUndefined();
  world.farSide = () => 204;
  await (await world.request()).observe('video.accepted');
  await world.work();
  expect((await world.deliveries(endpoint)).at(-1)).toMatchObject({ state: 'delivered' });
});

test('an endpoint that has failed for five days is given up: reported to the others, counted, and new events are held', async () => {
  const world = await deliveryWorld(database());
  const dead = await world.endpoint(1);
  const other = await world.endpoint(2, { events: ['endpoint.*'] });
  world.farSide = (post) => (post.url === dead.url ? 500 : 204);
  for (let day = 0; day < 6; day++) {
    await (await world.request()).observe('video.accepted');
    await world.pass(DAY);
  }
  expect(await world.current(dead)).toMatchObject({
    enabled: false,
    disabledReason: 'it has failed for 5 days',
    health: { state: 'disabled' },
  });
  expect(world.counted.filter((name) => name === 'EndpointDisabled')).toHaveLength(1);
  const told = await world.deliveries(other);
  expect(told.map(({ type, state }) => [type, state])).toEqual([['endpoint.disabled', 'delivered']]);
  expect(dataOf(told[0])).toMatchObject({ endpointId: dead.id, reason: 'it has failed for 5 days' });
  expect(fieldsOf(dataOf(told[0]))).toEqual(fieldsOf(SAMPLE_DATA['endpoint.disabled']));

  const sent = world.posted.length;
  await (await world.request()).observe('video.accepted');
  await world.pass(DAY);
  expect((await world.deliveries(dead)).at(-1)).toMatchObject({ state: 'held' });
  expect(world.posted).toHaveLength(sent);
}, 60_000);

test('the others get endpoint.recovered once it works again, but not after a short failure', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  const other = await world.endpoint(2, { events: ['endpoint.*'] });
  const failing = (post: Posted) => (post.url === endpoint.url ? 500 : 204);

  world.farSide = failing;
  await (await world.request()).observe('video.accepted');
  await world.work();
  world.farSide = () => 204;
  await world.pass(10_000);
  expect(await world.deliveries(other)).toEqual([]);

  world.farSide = failing;
  await (await world.request()).observe('video.accepted');
  await world.pass(2 * MINUTE);
  world.farSide = () => 204;
  await world.pass(10 * MINUTE);
  const told = await world.deliveries(other);
  expect(told).toMatchObject([{ type: 'endpoint.recovered' }]);
  expect(dataOf(told[0])).toMatchObject({ endpointId: endpoint.id });
  expect(fieldsOf(dataOf(told[0]))).toEqual(fieldsOf(SAMPLE_DATA['endpoint.recovered']));
});

test('two deliveries that succeed at once after failures tell of one recovery', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  const other = await world.endpoint(2, { events: ['endpoint.*'] });
  world.farSide = () => 500;
  for (let event = 0; event < 2; event++) {
    await (await world.request()).observe('video.accepted');
    await world.work();
  }
  world.clock.advance(2 * MINUTE);
  // Each has read the endpoint before the other's answer is recorded.
  const meet = Promise.withResolvers<void>();
  let sent = 0;
  world.farSide = async ({ url }) => {
    if (url !== endpoint.url) return 204;
    if (++sent === 2) meet.resolve();
    await meet.promise;
    return 204;
  };
  const retries = await world.due('deliver-slow');
  expect(retries).toHaveLength(2);
  await Promise.all(retries.map((retry) => world.invoke('deliver-slow', [retry])));
  await world.pass(MINUTE);
  expect(await world.deliveries(other)).toMatchObject([{ type: 'endpoint.recovered' }]);
});

test('the others get endpoint.recovered when one that was given up and enabled again works', async () => {
  const world = await deliveryWorld(database());
  const gone = await world.endpoint(1);
  const other = await world.endpoint(2, { events: ['endpoint.*'] });
  world.farSide = ({ url }) => (url === gone.url ? 410 : 204);
  const { observe } = await world.request();
  await observe('video.accepted');
  await world.pass(10_000);
  const disabled = await world.current(gone);
  await world.table.transact(
    change(disabled, changed(disabled, { enabled: true }), world.clock.now()).writes,
  );
  world.farSide = () => 204;
  await world.pass(10_000);
  expect(await world.deliveries(gone)).toMatchObject([{ state: 'delivered' }]);
  const told = await world.deliveries(other);
  expect(told).toMatchObject([
    { type: 'endpoint.disabled', state: 'delivered' },
    { type: 'endpoint.recovered', state: 'delivered' },
  ]);
  expect(dataOf(told[1])).toMatchObject({ endpointId: gone.id });
});

test('a callback that fails opens its own breaker, and no other of the same origin', async () => {
  const world = await deliveryWorld(database());
  const callback = (n: number, path: string) =>
    world.endpoint(n, {
      kind: 'callback',
      url: `https://shared.example/${path}`,
      health: { state: 'healthy' },
    });
  const dead = await callback(1, 'dead');
  const good = await callback(2, 'good');
  world.farSide = (post) => (post.url === dead.url ? 503 : 204);
  for (let event = 0; event < 6; event++) {
    await (await world.request(dead, good)).observe('video.accepted');
    await world.work();
  }
  expect((await world.deliveries(dead))[5]).toMatchObject({ state: 'held', attempts: [] });
  expect((await world.deliveries(good)).map(({ state }) => state)).toEqual(Array(6).fill('delivered'));
  expect((await world.current(good)).health).toMatchObject({ state: 'healthy' });

  world.farSide = () => 204;
  await world.pass(10 * MINUTE);
  expect((await world.deliveries(dead)).map(({ state }) => state)).toEqual(Array(6).fill('delivered'));
});

test('the schedule is the one promised, however long the endpoint fails', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  world.farSide = () => 500;
  await (await world.request()).observe('video.accepted');
  await world.pass(GIVE_UP_AFTER_MS);
  const [delivery] = await world.deliveries(endpoint);
  expect(delivery).toMatchObject({ state: 'failed', attemptCount: 10 });
  expect(delivery).not.toHaveProperty('lane');
  expect(world.counted).toEqual(['DeliveriesFailed']);
  const times = world.posted.map(({ at }) => at);
  const gaps = times.slice(1).map((time, i) => Math.round((time - times[i]!) / 1_000));
  expect(gaps).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
});

test('a failed attempt counts, and its next one is hinted, when the answer to its release is lost', async () => {
  let lost = 0;
  const world = await deliveryWorld(database(), {
    wrap: (table) => ({
      ...table,
      write: async (change) => {
        if ('update' in change && change.set?.attempts !== undefined) {
          await table.write(change);
          lost++;
        }
        // Again, as the SDK does when there was no answer.
        return table.write(change);
      },
    }),
  });
  const endpoint = await world.endpoint(1);
  world.farSide = () => 500;
  await (await world.request()).observe('video.accepted');
  await world.work();
  expect(lost).toBe(1);
  const [delivery] = await world.deliveries(endpoint);
  const { pk, sk, dueAt } = delivery!;
  expect(world.hints.sent.at(-1)).toEqual({ lane: 'deliver-slow', hint: { pk, sk, dueAt } });
  expect((await world.current(endpoint)).health).toMatchObject({ state: 'failing', failures: 1 });
});
