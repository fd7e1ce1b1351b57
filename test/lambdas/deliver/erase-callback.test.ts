import { expect, test } from 'vitest';
import { QUIET_MS } from '../../../lambdas/domain/delivering/gate/gate.ts';
import { endpointKey, outboxKey } from '../../../lambdas/domain/rows.ts';
import { callbackUse, ensured } from '../../../lambdas/rows/endpoints.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { type DeliveryWorld, deliveryWorld } from './delivery-world.ts';

const database = useDatabase();
const RETENTION_DAYS = 30;

/** A request with a callback that no person changed, as registration leaves them. */
async function registered(world: DeliveryWorld) {
  const endpoint = await world.endpoint(1, { kind: 'callback', expiresAt: 4_000_000_000 });
  const { requestId, observe } = await world.request(endpoint);
  await world.table.write(callbackUse(endpoint.id, requestId, world.clock.now(), RETENTION_DAYS));
  await observe('video.accepted');
  await world.work();
  const purge = () =>
    world.table.write({
      update: outboxKey({ kind: 'request', requestId }),
      set: { purge: true, lane: 'dispatch', dueAt: world.clock.now() },
    });
  const isThere = async () => (await world.table.get(endpointKey(endpoint.id))) !== undefined;
  return { endpoint, purge, isThere };
}

test('a purge erases the row of the callback, which holds its URL, once no request can name it unseen', async () => {
  const world = await deliveryWorld(database());
  const { purge, isThere } = await registered(world);
  await purge();
  await world.work();
  expect(await isThere()).toBe(true);
  await world.pass(QUIET_MS);
  expect(await isThere()).toBe(false);
});

test('a callback that another request names stays', async () => {
  const world = await deliveryWorld(database());
  const { endpoint, purge, isThere } = await registered(world);
  const other = await world.request(endpoint);
  await world.table.write(callbackUse(endpoint.id, other.requestId, world.clock.now(), RETENTION_DAYS));
  await purge();
  await world.pass(2 * QUIET_MS);
  expect(await isThere()).toBe(true);
});

test.each(['before it was marked', 'after it was marked'])(
  'a callback that a registration read %s, and names meanwhile, stays',
  async (when) => {
    const world = await deliveryWorld(database());
    const { endpoint, purge, isThere } = await registered(world);
    const before = await world.current(endpoint);
    await purge();
    await world.work();
    const read = when === 'before it was marked' ? before : await world.current(endpoint);
    // A registration makes the row of the URL alone.
    const { expiresAt, unusedSince, ...named } = read;
    const write = ensured(named, read, world.clock.now(), RETENTION_DAYS);
    const use = callbackUse(endpoint.id, 'other', world.clock.now(), RETENTION_DAYS);
    await world.table.transact(write ? [write, use] : [use]);
    await world.pass(2 * QUIET_MS);
    expect(await isThere()).toBe(true);
    expect(await world.current(endpoint)).not.toHaveProperty('unusedSince');
  },
);
