import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Write } from '../../../lambdas/adapters/dynamodb/expression.ts';
import type { EndpointRow } from '../../../lambdas/domain/delivering/endpoint.ts';
import { GATE_LANE } from '../../../lambdas/domain/delivering/gate/gate.ts';
import type { ReplayRow } from '../../../lambdas/domain/delivering/replay.ts';
import { numberEvents } from '../../../lambdas/domain/events/event.ts';
import { replayId } from '../../../lambdas/domain/ids.ts';
import { cancellationKey, replayKey } from '../../../lambdas/domain/rows.ts';
import type { Due, RowKey } from '../../../lambdas/domain/work.ts';
import { deletion } from '../../../lambdas/rows/endpoints.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { expectHintsToNameRows } from '../../support/recorded-hints.ts';
import { deliveryRow } from '../../support/rows.ts';
import { type DeliveryWorld, deliveryWorld } from './delivery-world.ts';

const database = useDatabase();

/** An invocation that begins with so little time left, ms, that it ends after the first page of a task. */
const ONE_PAGE_MS = 20_010;

/** Old deliveries in a state; returns since when there are some. */
async function past(
  world: DeliveryWorld,
  endpoint: EndpointRow,
  count: number,
  state: 'failed' | 'pending',
): Promise<number> {
  const start = world.clock.now() - count * 1_000;
  const rows = Array.from({ length: count }, (_, i) => {
    const source = { kind: 'request', requestId: randomUUID() } as const;
    const draft = { type: 'video.complete', data: {} } as const;
    const [event] = numberEvents(source, { sequence: 0, position: 0 }, [draft], start + i * 1_000).rows;
    const { lane, dueAt, ...row } = { dueAt: 0, ...deliveryRow(event!, endpoint) };
    return { ...row, state };
  });
  for (let at = 0; at < rows.length; at += 100) {
    await world.table.transact(rows.slice(at, at + 100).map((put): Write => ({ put })));
  }
  return start;
}

/** The hints that were sent for a row so far. */
const hintsOf = (world: DeliveryWorld, { pk }: RowKey) => ({
  sent: world.hints.sent.filter(({ hint }) => hint.pk === pk),
});

test('a replay that runs out of time hints the due time that its row has', async () => {
  const world = await deliveryWorld(database(), { remainingMs: ONE_PAGE_MS });
  const endpoint = await world.endpoint(1);
  const since = await past(world, endpoint, 150, 'failed');
  const id = replayId(randomBytes(16));
  const key = replayKey(id);
  const at = world.clock.now();
  const row: ReplayRow = {
    ...key,
    ...{ id, endpointId: endpoint.id, since, until: at, of: 'failed', createdAt: at, expiresAt: 4e9 },
    ...{ matched: 0, queued: 0, lane: GATE_LANE, dueAt: at },
  };
  await world.table.write({ put: row });
  await world.invoke(GATE_LANE, [{ ...key, dueAt: at }]);
  expect(await world.table.get(key)).toMatchObject({ matched: 100 });
  await expectHintsToNameRows(world.table, hintsOf(world, key));
});

test('a cancellation hints the due time that its row has: out of time, and for its last check', async () => {
  const world = await deliveryWorld(database(), { remainingMs: ONE_PAGE_MS });
  const endpoint = await world.endpoint(1);
  await past(world, endpoint, 150, 'pending');
  const key = cancellationKey(endpoint.id);
  const { writes, due } = deletion(await world.current(endpoint), world.clock.now(), 30);
  await world.table.transact(writes);
  await world.invoke(due.lane, [due]);
  expect(await world.table.get(key)).toHaveProperty('cursor');
  await expectHintsToNameRows(world.table, hintsOf(world, key));

  const dueAt = hintsOf(world, key).sent.at(-1)!.hint.dueAt;
  await world.invoke(due.lane, [{ ...key, dueAt }]);
  expect(await world.table.get(key)).not.toHaveProperty('cursor');
  await expectHintsToNameRows(world.table, hintsOf(world, key));
});

test('the delivery that waited for a canceled one is hinted with the due time that its row has', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { ordered: true });
  const { observe } = await world.request();
  world.farSide = () => 500;
  await observe('video.accepted');
  await world.work();
  const task = await world.namedAgain(endpoint);
  await observe('video.processing');
  await world.invoke('dispatch', await world.due('dispatch'));
  await world.invoke('deliver', (await world.deliveries(endpoint)).slice(1) as Due[]);
  world.hints.clear();
  await world.invoke(task.lane, [task]);
  const [, successor] = await world.deliveries(endpoint);
  expect(successor).toMatchObject({ state: 'pending', lane: task.lane });
  await expectHintsToNameRows(world.table, hintsOf(world, successor!));
});

test('deliveries that are tried again, held, probed, released and kept to a rate are hinted by their rows', async () => {
  const world = await deliveryWorld(database());
  const endpoints = [
    await world.endpoint(1),
    await world.endpoint(2, { ordered: true }),
    await world.endpoint(3, { rateLimit: 1 }),
  ];
  world.farSide = () => 500;
  for (let n = 0; n < 2; n++) await (await world.request()).observe('video.accepted', 'video.processing');
  await world.pass(3_600_000);
  world.farSide = () => 204;
  await world.pass(86_400_000);
  for (const endpoint of endpoints) {
    expect((await world.deliveries(endpoint)).map(({ state }) => state)).toEqual(Array(4).fill('delivered'));
  }
  expect(world.hints.of('deliver-slow').length).toBeGreaterThan(12);
});
