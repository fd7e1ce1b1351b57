import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Write } from '../../lambdas/adapters/dynamodb/expression.ts';
import type { Table } from '../../lambdas/adapters/dynamodb/table.ts';
import { isLimited } from '../../lambdas/domain/delivering/gate/standing.ts';
import { deliveryWorld } from '../lambdas/deliver/delivery-world.ts';
import { useDatabase } from '../support/dynamodb.ts';

const database = useDatabase();

/** A table that is down for some writes; `asked` resolves when one of them comes. */
function downFor(isMeant: (write: Write) => boolean) {
  let tell = () => {};
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const wrap = (table: Table): Table => ({
    ...table,
    write: async (change) => {
      if (!isMeant(change)) return table.write(change);
      tell();
      throw new Error('the table is down');
    },
  });
  return { wrap, asked };
}

const setsHealth = (write: Write) => 'update' in write && write.set?.health !== undefined;
const givesBack = (write: Write) => 'update' in write && write.remove?.[0]?.startsWith('busy.') === true;

// https://github.com/keygen-sh/keygen-api/issues/771: one endpoint that took 30 s each time held up everybody's webhooks.
test('an attempt that takes long makes its endpoint leave the fast queue before it is answered', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1);
  const { observe } = await world.request();
  world.farSide = async () => {
    world.linger();
    while (!(await world.current(endpoint)).health.slow) await setImmediate();
    return 204;
  };
  await observe('video.accepted');
  await world.work();
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'delivered' }]);

  world.farSide = () => 204;
  world.hints.clear();
  await observe('video.processing');
  await world.work();
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'delivered' }, { state: 'delivered' }]);
  expect(world.hints.of('deliver')).toEqual([]);
  expect((await world.current(endpoint)).health.slow).toBeUndefined();
});

test('a table that is down for the notice that an attempt takes long costs neither worker nor result', async () => {
  const { wrap, asked } = downFor(
    (write) => setsHealth(write) && 'set' in write && world.posted.length === 1,
  );
  const world = await deliveryWorld(database(), { wrap });
  const endpoint = await world.endpoint(1);
  world.farSide = async () => {
    world.linger();
    await asked;
    // Node looks for unhandled rejections after each round of its loop.
    await setImmediate();
    return 204;
  };
  const { requestId, observe } = await world.request();
  await observe('video.accepted');
  await world.work();
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'delivered', attemptCount: 1 }]);
  const named = { requestId, endpointId: endpoint.id, error: expect.any(Error) };
  expect(world.errors).toContainEqual(['slowness not recorded', expect.objectContaining(named)]);
});

test('a slot that cannot be released costs no result', async () => {
  const world = await deliveryWorld(database(), downFor(givesBack));
  const endpoint = await world.endpoint(1, { health: { state: 'healthy' } });
  expect(isLimited({ endpoint })).toBe(true);
  const { requestId, observe } = await world.request();
  await observe('video.accepted');
  await world.work();
  const [delivery] = await world.deliveries(endpoint);
  expect(delivery).toMatchObject({ state: 'delivered', attemptCount: 1 });
  expect(world.posted).toHaveLength(1);
  expect(world.errors).toMatchObject([['slot not released', { requestId, deliveryId: delivery?.id }]]);
});

test('ordered and rate-limited deliveries to a healthy endpoint never meet the slow queue', async () => {
  const world = await deliveryWorld(database());
  const ordered = await world.endpoint(1, { ordered: true });
  const paced = await world.endpoint(2, { rateLimit: 5 });
  const { observe } = await world.request();
  for (let event = 0; event < 15; event++) await observe('video.processing');
  await world.pass(20_000);
  for (const endpoint of [ordered, paced]) expect(world.idsPostedTo(endpoint)).toHaveLength(15);
  expect(world.hints.of('deliver-slow')).toEqual([]);
});

test('many slow endpoints leave half of the workers to others, and all of theirs arrives in the end', async () => {
  const world = await deliveryWorld(database(), { maxDeliveries: 8 });
  const slow = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      world.endpoint(n + 1, { health: { state: 'healthy', lastDeliveredAt: 1, slow: true } }),
    ),
  );
  const fresh = await world.endpoint(100, { health: { state: 'healthy' } });
  await (await world.request()).observe('video.accepted');
  await world.invoke('dispatch', await world.due('dispatch'));
  const due = await world.due('deliver-slow');
  expect(due).toHaveLength(13);

  let underWay = 0;
  let ended = 0;
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const look = () => underWay + ended === due.length && answer();
  const atOnce = new Set<string>();
  world.farSide = async ({ url }) => {
    underWay++;
    atOnce.add(url);
    look();
    await answered;
    return 204;
  };
  await Promise.all(
    due.map(async (row) => {
      await world.invoke('deliver-slow', [row]);
      ended++;
      look();
    }),
  );
  expect(slow.filter(({ url }) => atOnce.has(url!))).toHaveLength(4);
  expect(atOnce).toContain(fresh.url);

  world.farSide = () => 204;
  await world.pass(120_000);
  for (const endpoint of slow)
    expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'delivered' }]);
});
