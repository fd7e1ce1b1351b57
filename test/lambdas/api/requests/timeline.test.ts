import { expect, test } from 'vitest';
import { type EventRow, numberEvents } from '../../../../lambdas/domain/events/event.ts';
import { copyKey, endpointKey, metaKey, requestKey } from '../../../../lambdas/domain/rows.ts';
import { eventWrites } from '../../../../lambdas/rows/outbox.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { deliveryRow, endpointRow } from '../../../support/rows.ts';
import { createClient, uuid } from '../call-api.ts';

const database = useDatabase();

test('a timeline shows statuses with what was skipped, progress, copy, and why a delivery has not arrived', async () => {
  const { table } = database();
  const api = createClient(database());
  const requestId = uuid('timeline');
  const begun = api.clock.now;
  const at = (seconds: number) => new Date(begun + seconds * 1000).toISOString();
  await api.call('POST', '/v1/requests', { body: { requestId } });
  const endpoint = endpointRow(7, { url: 'https://receiver.example/' });
  await table.write({ put: { ...endpoint, ...endpointKey(endpoint.id) } });

  const source = { kind: 'request', requestId } as const;
  let counters = { sequence: 0, position: 0 };
  const events: EventRow[] = [];
  const observe = async (seconds: number, status: string, data: Record<string, unknown> = {}) => {
    const draft = { type: `video.${status}` as 'video.accepted', data: { status, ...data } };
    const written = eventWrites(source, counters, [draft], begun + seconds * 1000);
    await table.transact(written.writes);
    counters = written.counters;
    events.push((written.writes[0] as unknown as { put: EventRow }).put);
  };
  await observe(5, 'requested');
  await observe(30, 'processing', { previousStatus: 'requested', skipped: ['accepted'] });
  await observe(90, 'complete', { previousStatus: 'processing' });
  await table.write({ update: metaKey(requestId), append: { progressSeries: [40, 10, 80, 90] } });
  await table.write({
    update: requestKey(requestId),
    set: { status: 'complete', polls: 9, video: { state: 'copying', copiedBytes: 5, size: 10 } },
  });
  const attempt = { at: begun, durationMs: 3, statusCode: 500 };
  const [first, second] = events.map((event) => deliveryRow(event, endpoint));
  await table.write({ put: { ...first!, state: 'delivered' } });
  await table.write({ put: { ...second!, attempts: [attempt], attemptCount: 1, failures: 1 } });

  const { status, body } = await api.call('GET', `/v1/requests/${requestId}/timeline`);
  expect(status).toBe(200);
  expect(body.statuses).toEqual([
    { status: 'registered', at: at(0), until: at(5) },
    { status: 'requested', at: at(5), until: at(30) },
    { status: 'processing', at: at(30), until: at(90), skipped: ['accepted'] },
    { status: 'complete', at: at(90) },
  ]);
  expect(body.observations).toEqual([
    { at: at(40), progress: 10 },
    { at: at(80), progress: 90 },
  ]);
  expect(body).toMatchObject({ polls: 9, copy: { state: 'copying', copiedBytes: 5, size: 10 } });
  expect(body.events.map((event: { sequence: number }) => event.sequence)).toEqual([1, 2, 3]);
  expect(body.deliveries).toHaveLength(2);
  expect(body.deliveries[0]).not.toHaveProperty('reason');
  expect(body.deliveries[1]).toMatchObject({ state: 'pending', reason: 'it answered 500' });
});

test('a timeline leaves out the first deliveries where an answer would not have room for all', async () => {
  const { table } = database();
  const api = createClient(database());
  const requestId = uuid('a long timeline');
  await api.call('POST', '/v1/requests', { body: { requestId } });
  const endpoints = [1, 2, 3, 4].map((n) => endpointRow(n));
  for (const endpoint of endpoints) await table.write({ put: endpoint });
  const drafts = Array.from({ length: 30 }, () => ({ type: 'video.processing' as const, data: {} }));
  const source = { kind: 'request', requestId } as const;
  const { rows } = numberEvents(source, { sequence: 0, position: 0 }, drafts, api.clock.now);
  // What a receiver answers may take six bytes a character.
  const body = '\u0001'.repeat(1_024);
  const attempts = Array(12).fill({ at: api.clock.now, durationMs: 1, statusCode: 500, body });
  const deliveries = rows.flatMap((event) =>
    endpoints.map((endpoint) => ({ ...deliveryRow(event, endpoint), attempts })),
  );
  for (const put of [...rows, ...deliveries]) await table.write({ put });

  const answer = await api.call('GET', `/v1/requests/${requestId}/timeline`);
  expect(answer.body.events).toHaveLength(30);
  expect(Buffer.byteLength(JSON.stringify(JSON.stringify(answer.body)))).toBeLessThan(6_000_000);
  const shown = answer.body.deliveries.map(({ id }: { id: string }) => id);
  expect(shown.length).toBeGreaterThan(20);
  expect(shown).toEqual(deliveries.slice(-shown.length).map(({ id }) => id));
});

test('a copy does not begin after it is stored, though the clocks of its workers differ', async () => {
  const { table } = database();
  const api = createClient(database());
  const requestId = uuid('a small copy');
  await api.call('POST', '/v1/requests', { body: { requestId } });
  const storedAt = api.clock.now;
  await table.write({
    update: requestKey(requestId),
    set: { status: 'complete', video: { state: 'stored', storedAt } },
  });
  await table.write({ update: copyKey(requestId), set: { startedAt: storedAt + 355 } });
  const { body } = await api.call('GET', `/v1/requests/${requestId}/timeline`);
  expect(body.copy.startedAt).toBe(body.copy.storedAt);
});

test('an unknown request has no timeline', async () => {
  const api = createClient(database());
  expect((await api.call('GET', `/v1/requests/${uuid('nobody')}/timeline`)).status).toBe(404);
});
