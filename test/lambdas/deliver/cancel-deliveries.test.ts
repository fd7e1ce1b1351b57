import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { QUIET_MS } from '../../../lambdas/domain/delivering/gate/gate.ts';
import { backlogPartition } from '../../../lambdas/domain/rows.ts';
import type { Due } from '../../../lambdas/domain/work.ts';
import { wake, withdraw } from '../../../lambdas/engine/wake.ts';
import { entryWrite } from '../../../lambdas/rows/backlog.ts';
import { deletion } from '../../../lambdas/rows/endpoints.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { type DeliveryWorld, deliveryWorld } from './delivery-world.ts';

const database = useDatabase();
const callback = { kind: 'callback', url: 'https://receiver.example/hook' } as const;

/** A callback with a failed attempt, which is deleted and named again while the cancellation is still due. */
async function namedAgain(world: DeliveryWorld) {
  const endpoint = await world.endpoint(1, callback);
  world.farSide = () => 500;
  const { observe } = await world.request(endpoint);
  await observe('video.accepted');
  await world.work();
  const cancellation = await world.namedAgain(endpoint);
  world.farSide = () => 204;
  return { endpoint, observe, cancellation };
}

test('a callback that is named again during the cancellation gets its new events; the old ones are canceled', async () => {
  const world = await deliveryWorld(database());
  const { endpoint, observe, cancellation } = await namedAgain(world);
  await observe('video.processing');
  await world.invoke('dispatch', await world.due('dispatch'));
  await world.invoke(cancellation.lane, [cancellation]);
  await world.pass(2 * QUIET_MS);
  const states = (await world.deliveries(endpoint)).map(({ type, state }) => [type, state]);
  expect(states).toEqual([
    ['video.accepted', 'canceled'],
    ['video.processing', 'delivered'],
  ]);
});

test('an old delivery that a person sends to the new callback is not canceled by the order for the old one', async () => {
  let meanwhile: (() => Promise<void>) | undefined;
  const world = await deliveryWorld(database(), {
    wrap: (table) => ({
      ...table,
      // Between the read of the cancellation and its transaction.
      transact: async (writes) => {
        const retry = meanwhile;
        meanwhile = undefined;
        await retry?.();
        return table.transact(writes);
      },
    }),
  });
  const { endpoint, cancellation } = await namedAgain(world);
  const { createdAt } = await world.current(endpoint);
  meanwhile = async () => {
    const [row] = await world.deliveries(endpoint);
    const set = { endpointCreatedAt: createdAt, bypassesBreaker: true };
    await world.table.write(wake(row!, 'deliver', world.clock.now(), { set }).write);
  };
  await world.invoke(cancellation.lane, [cancellation]);
  await world.pass(2 * QUIET_MS);
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'delivered' }]);
});

test('a delivery for the deleted endpoint that enters the backlog of the new one is canceled when it is due', async () => {
  const world = await deliveryWorld(database());
  const { endpoint } = await namedAgain(world);
  const [row] = await world.deliveries(endpoint);
  const dueAt = world.clock.now();
  await world.table.write({ update: row!, set: { lane: 'deliver', dueAt } });
  await world.invoke('deliver', [{ ...row!, dueAt } as Due]);
  const [canceled] = await world.deliveries(endpoint);
  expect(canceled).toMatchObject({ state: 'canceled' });
  expect(world.posted).toHaveLength(1);
  expect(world.lines.at(-1)).toMatchObject(['canceled', { deliveryId: canceled?.id }]);
});

test('a deletion that read a callback before it was deleted and named again leaves the new one', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, callback);
  const late = deletion(endpoint, world.clock.now(), 30);
  await world.namedAgain(endpoint);
  await expect(world.table.transact(late.writes)).rejects.toThrow(ConditionFailed);
  expect((await world.current(endpoint)).createdAt).toBeGreaterThan(endpoint.createdAt);
});

test('a delivery that enters the backlog while it is canceled leaves no place there', async () => {
  let meanwhile: (() => Promise<void>) | undefined;
  const world = await deliveryWorld(database(), {
    wrap: (table) => ({
      ...table,
      transact: async (writes) => {
        const enter = meanwhile;
        meanwhile = undefined;
        await enter?.();
        return table.transact(writes);
      },
    }),
  });
  const endpoint = await world.endpoint(1);
  world.farSide = () => 500;
  await (await world.request()).observe('video.accepted');
  await world.work();
  const { writes, due } = deletion(endpoint, world.clock.now(), 30);
  await world.table.transact(writes);
  const backlogKey = backlogPartition(endpoint);
  meanwhile = async () => {
    const [row] = await world.deliveries(endpoint);
    // A worker that read the endpoint before its deletion.
    const write = withdraw(row!, { set: { state: 'pending', backlogKey } });
    await world.table.transact([write, entryWrite(backlogKey, row!)]);
  };
  await world.invoke(due.lane, [due]);
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'canceled' }]);
  const places = await world.table.query({ partition: backlogKey, limit: 10, consistent: true });
  expect(places.rows).toEqual([]);
});
