import { expect, test } from 'vitest';
import { ExchangeError } from '../../lambdas/adapters/http/exchange-error.ts';
import type { EndpointRow } from '../../lambdas/domain/delivering/endpoint.ts';
import { type DeliveryWorld, deliveryWorld } from '../lambdas/deliver/delivery-world.ts';
import { useDatabase } from '../support/dynamodb.ts';

const database = useDatabase();
const HOST = 'https://shared.example';
const fresh = { kind: 'callback', health: { state: 'healthy' } } as const;

/** Registrations whose callbacks on one host fail, with an event each. */
async function failing(world: DeliveryWorld, count: number): Promise<EndpointRow[]> {
  const endpoints: EndpointRow[] = [];
  for (let n = 1; n <= count; n++) {
    const endpoint = await world.endpoint(n, { ...fresh, url: `${HOST}/failing/${n}` });
    await (await world.request(endpoint)).observe('video.accepted');
    endpoints.push(endpoint);
  }
  return endpoints;
}

/** How long an event for a callback takes to its first attempt, ms. */
async function waited(world: DeliveryWorld, callback: EndpointRow): Promise<number> {
  const { observe } = await world.request(callback);
  const at = world.clock.now();
  world.posted.length = 0;
  await observe('video.accepted');
  await world.pass(120_000);
  return (world.posted.find(({ url }) => url === callback.url)?.at ?? Number.POSITIVE_INFINITY) - at;
}

// https://github.com/braze-inc/braze-docs/issues/8617: hosts that serve many customers' callbacks.
test.each([
  [12, 500],
  [30, 404],
])('%i callbacks that answer %i delay no other callback of their host', async (count, status) => {
  const world = await deliveryWorld(database());
  world.farSide = ({ url }) => (url.includes('/failing/') ? status : 204);
  await failing(world, count);
  await world.pass(30_000);
  const good = await world.endpoint(100, { ...fresh, url: `${HOST}/good` });
  expect(await waited(world, good)).toBeLessThan(2_000);
});

test('callbacks that hang delay none of their host that has worked', async () => {
  const world = await deliveryWorld(database());
  world.farSide = ({ url }) => {
    if (!url.includes('/failing/')) return 204;
    return new ExchangeError('timeout', 'too slow');
  };
  const good = await world.endpoint(100, { ...fresh, url: `${HOST}/good` });
  await (await world.request(good)).observe('video.accepted');
  await world.work();
  await failing(world, 30);
  expect(await waited(world, good)).toBeLessThan(2_000);
});

test('held deliveries of a disabled callback delay no other callback of its host', async () => {
  const world = await deliveryWorld(database());
  const off = await world.endpoint(1, { ...fresh, url: `${HOST}/off`, enabled: false });
  const good = await world.endpoint(2, { ...fresh, url: `${HOST}/good` });
  const { observe } = await world.request(off);
  for (let event = 0; event < 40; event++) await observe('video.processing');
  await world.work();
  world.farSide = () => 503;
  for (let event = 0; event < 6; event++) await (await world.request(good)).observe('video.accepted');
  await world.work();
  expect((await world.current(good)).health.openSince).toBeDefined();
  world.farSide = () => 204;
  await world.pass(120_000);
  expect((await world.deliveries(good)).map(({ state }) => state)).toEqual(Array(6).fill('delivered'));
});
