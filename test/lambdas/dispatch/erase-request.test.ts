import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { entryWrite } from '../../../lambdas/adapters/rows/backlog.ts';
import { deletion } from '../../../lambdas/adapters/rows/endpoints.ts';
import { createEraseRequest } from '../../../lambdas/dispatch/erase-request.ts';
import { numberEvents } from '../../../lambdas/domain/events/event.ts';
import type { OutboxRow } from '../../../lambdas/domain/events/outbox.ts';
import {
  backlogEntryKey,
  copyKey,
  endpointKey,
  metaKey,
  outboxKey,
  requestKey,
} from '../../../lambdas/domain/rows.ts';
import { claimed, testClaims, testClock } from '../../support/claims.ts';
import { startDatabase } from '../../support/dynamodb.ts';
import { recordHints } from '../../support/recorded-hints.ts';
import { deliveryRow, endpointRow, requestRow, START } from '../../support/rows.ts';

async function setUp(events: number) {
  const { table, stop } = await startDatabase();
  const clock = testClock();
  const claims = testClaims(table, clock);
  const hints = recordHints();
  const requestId = randomUUID();
  const source = { kind: 'request', requestId } as const;
  const account = endpointRow(1);
  const callback = endpointRow(2, { kind: 'callback' });
  for (const endpoint of [account, callback])
    await table.write({ put: { ...endpoint, ...endpointKey(endpoint.id) } });
  await table.write({ put: { ...requestRow({ requestId }), purged: true } });
  await table.write({
    put: {
      ...metaKey(requestId),
      metadata: {},
      callbacks: [{ endpointId: callback.id, url: callback.url, events: ['video.*'] }],
    },
  });
  const drafts = Array.from({ length: events }, () => ({ type: 'video.processing' as const, data: {} }));
  const { rows } = numberEvents(source, { sequence: 0, position: 0 }, drafts, clock.now());
  for (const event of rows) {
    await table.write({ put: event });
    for (const endpoint of [account, callback]) await table.write({ put: deliveryRow(event, endpoint) });
  }
  await table.write({ put: { ...outboxKey(source), purge: true, lane: 'dispatch', dueAt: clock.now() } });

  const erase = createEraseRequest({ table, hints, now: clock.now });
  const outbox = () => table.get<OutboxRow>(outboxKey(source));
  async function step(): Promise<void> {
    await erase(
      await claimed<OutboxRow>(claims, 'dispatch', {
        ...outboxKey(source),
        dueAt: (await outbox())?.dueAt ?? 0,
      }),
    );
  }
  const left = async (partition: string) => (await table.query({ partition, limit: 1_000 })).rows.length;
  const deliveriesLeft = async () => (await left(`DEL#${account.id}`)) + (await left(`DEL#${callback.id}`));
  return {
    table,
    stop,
    clock,
    requestId,
    events: rows,
    step,
    outbox,
    deliveriesLeft,
    left: () => left(requestKey(requestId).pk),
  };
}

test('a purged request leaves neither rows nor deliveries', async () => {
  const { step, outbox, left, deliveriesLeft, stop } = await setUp(30);
  for (let steps = 0; await outbox(); steps++) {
    expect(steps).toBeLessThan(5);
    await step();
  }
  expect(await left()).toBe(0);
  expect(await deliveriesLeft()).toBe(0);
  await stop();
});

test('a purge erases what went to endpoints that were deleted since, and places in backlogs', async () => {
  const { table, events, step, outbox, stop } = await setUp(1);
  const deleted = endpointRow(3);
  const away = endpointRow(4, { enabled: false });
  const gone = deliveryRow(events[0]!, deleted);
  const held = deliveryRow(events[0]!, away);
  for (const each of [deleted, away]) await table.write({ put: { ...each, ...endpointKey(each.id) } });
  await table.transact([{ put: gone }, { put: held }, entryWrite(held.backlogKey!, held)]);
  await table.transact(deletion({ ...deleted, ...endpointKey(deleted.id) }, START, 30).writes);
  while (await outbox()) await step();
  for (const row of [gone, held, backlogEntryKey(held.backlogKey!, held)])
    expect(await table.get(row)).toBeUndefined();
  await stop();
});

test('an unfinished copy is cleaned up by its own stage first', async () => {
  const { table, requestId, clock, step, outbox, left, stop } = await setUp(1);
  await table.write({ put: { ...copyKey(requestId), lane: 'copy', dueAt: clock.now() } });
  const before = await left();
  await step();
  expect(await left()).toBe(before);
  expect(await outbox()).toMatchObject({ lane: 'dispatch', dueAt: clock.now() + 15_000 });
  await stop();
});
