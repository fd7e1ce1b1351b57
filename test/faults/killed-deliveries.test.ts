import { expect, test } from 'vitest';
import type { Table } from '../../lambdas/adapters/dynamodb/table.ts';
import type { EndpointRow } from '../../lambdas/domain/delivering/endpoint.ts';
import { changed } from '../../lambdas/domain/delivering/endpoint-change.ts';
import { QUIET_MS } from '../../lambdas/domain/delivering/gate/gate.ts';
import { cancellationKey } from '../../lambdas/domain/rows.ts';
import { LEASE_MS } from '../../lambdas/domain/work.ts';
import { createBacklogs } from '../../lambdas/rows/backlog.ts';
import { change, deletion } from '../../lambdas/rows/endpoints.ts';
import { type DeliveryWorld, deliveryWorld } from '../lambdas/deliver/delivery-world.ts';
import { useDatabase } from '../support/dynamodb.ts';
import { killAtCalls } from './crash-points.ts';
import { mortal } from './mortal-worker.ts';

const database = useDatabase();
const MINUTE = 60_000;
/** For a lease to run out, what was under way to be done, and a last check. */
const LONG = LEASE_MS + 2 * QUIET_MS + 10 * MINUTE;

/** Plays a story in which the worker that is at work since `arm` is killed at a call to the table. Others live. */
async function killedAtCalls(story: (world: DeliveryWorld, arm: () => void) => Promise<void>) {
  await killAtCalls(3, async (death) => {
    let died = false;
    let life = mortal(undefined);
    const world = await deliveryWorld(database(), {
      wrap: (table) => new Proxy(table, { get: (_, name) => life.table(table)[name as keyof Table] }),
      onEnd: () => {
        if (!life.isDead()) return;
        died = true;
        life = mortal(undefined);
      },
    });
    await story(world, () => {
      life = mortal(death);
    });
    return { calls: life.calls(), died };
  });
}

/** Nothing waits any more, and no worker is busy. */
async function expectPeace(world: DeliveryWorld, endpoint: EndpointRow): Promise<void> {
  expect((await createBacklogs(world.table).first(endpoint, 10)).rows).toEqual([]);
  for (const lane of ['deliver', 'deliver-slow']) {
    expect(await world.due(lane, Number.MAX_SAFE_INTEGER)).toEqual([]);
  }
}

const states = async (world: DeliveryWorld, endpoint: EndpointRow) =>
  (await world.deliveries(endpoint)).map(({ state }) => state);

test('the release of a backlog comes to its end, at whatever call a worker is killed', async () => {
  await killedAtCalls(async (world, arm) => {
    const endpoint = await world.endpoint(1, { enabled: false });
    const { observe } = await world.request();
    await observe('video.accepted', 'video.processing', 'video.complete');
    await world.work();
    arm();
    const disabled = await world.current(endpoint);
    await world.table.transact(
      change(disabled, changed(disabled, { enabled: true }), world.clock.now()).writes,
    );
    await world.pass(LONG);
    expect(await states(world, endpoint)).toEqual(Array(3).fill('delivered'));
    // Only what was sent and not yet noted is sent twice.
    expect(world.posted.length).toBeLessThanOrEqual(4);
    await expectPeace(world, endpoint);
  });
}, 120_000);

test('a cancellation comes to its end, at whatever call a worker is killed', async () => {
  await killedAtCalls(async (world, arm) => {
    const endpoint = await world.endpoint(1);
    world.farSide = () => 500;
    const { observe } = await world.request();
    await observe('video.accepted');
    await world.work();
    await world.table.write({ update: endpoint, set: { enabled: false } });
    await observe('video.processing');
    await world.work();
    expect(await states(world, endpoint)).toEqual(['pending', 'held']);
    arm();
    await world.table.transact(deletion(await world.current(endpoint), world.clock.now(), 30).writes);
    await world.pass(LONG);
    expect(await states(world, endpoint)).toEqual(['canceled', 'canceled']);
    expect(await world.table.get(cancellationKey(endpoint.id))).toBeUndefined();
    await expectPeace(world, endpoint);
  });
}, 120_000);

test('a breaker that opens lets all go when the endpoint works again, at whatever call a worker is killed', async () => {
  await killedAtCalls(async (world, arm) => {
    const endpoint = await world.endpoint(1, {
      health: { state: 'failing', failingSince: world.clock.now(), failures: 4 },
    });
    world.farSide = () => 500;
    const { observe } = await world.request();
    arm();
    await observe('video.accepted');
    await world.pass(1_000);
    await observe('video.processing');
    await world.pass(1_000);
    world.farSide = () => 204;
    await world.pass(LONG);
    expect(await states(world, endpoint)).toEqual(Array(2).fill('delivered'));
    expect((await world.current(endpoint)).health.state).toBe('healthy');
    await expectPeace(world, endpoint);
  });
}, 120_000);

test('an ordered endpoint sees first successes in order, at whatever call a worker is killed', async () => {
  await killedAtCalls(async (world, arm) => {
    const endpoint = await world.endpoint(1, { ordered: true });
    const { observe } = await world.request();
    const succeeded: number[] = [];
    let fails = true;
    world.farSide = ({ body }) => {
      if (fails) {
        fails = false;
        return 500;
      }
      succeeded.push(JSON.parse(body).data.sequence);
      return 204;
    };
    arm();
    await observe('video.accepted', 'video.processing', 'video.complete');
    await world.pass(LONG);
    expect([...new Set(succeeded)]).toEqual([1, 2, 3]);
    expect(succeeded).toEqual(succeeded.toSorted());
    expect(await states(world, endpoint)).toEqual(Array(3).fill('delivered'));
    await expectPeace(world, endpoint);
  });
}, 120_000);
