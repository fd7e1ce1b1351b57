import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { Table } from '../../../../lambdas/adapters/dynamodb/table.ts';
import { createRegister } from '../../../../lambdas/api/requests/register.ts';
import { createTracking } from '../../../../lambdas/api/requests/tracking.ts';
import { type CopyRow, newCopy } from '../../../../lambdas/domain/copying/copy.ts';
import type { RequestRow } from '../../../../lambdas/domain/requests/request.ts';
import type { RequestCounts } from '../../../../lambdas/domain/requests/request-counts.ts';
import { requestExpiry } from '../../../../lambdas/domain/retention.ts';
import { copyKey, metaKey, outboxKey, REQUEST_COUNTS, requestKey } from '../../../../lambdas/domain/rows.ts';
import type { RowKey } from '../../../../lambdas/domain/work.ts';
import { readRequestCounts } from '../../../../lambdas/rows/request-counts.ts';
import { claimed, type TestClock, testClaims, testClock } from '../../../support/claims.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { settle } from '../../../support/lagging-reads.ts';
import { requestRow } from '../../../support/rows.ts';

const database = useDatabase();
let clock: TestClock;
let requestId: string;
beforeEach(async () => {
  clock = testClock();
  requestId = randomUUID();
  const request = requestRow({ requestId, status: 'complete', video: { state: 'pending' } });
  const copy = newCopy(
    { requestId, copyId: 'c' },
    { url: 'https://source.example/v' },
    undefined,
    clock.now(),
  );
  const meta = { ...metaKey(requestId), metadata: {}, callbacks: [] };
  const outbox = outboxKey({ kind: 'request', requestId });
  for (const put of [request, copy, meta, outbox]) await database().table.write({ put });
});

const stop = (table: Table, purge = false) =>
  createTracking({ table, now: clock.now, retentionDays: 30 }).stop(requestId, { purge });
const copyOf = () => database().table.get<CopyRow>(copyKey(requestId));
const stateOf = async () => (await database().table.get<RequestRow>(requestKey(requestId)))?.state;

test('a request is stopped with its copy, though the first read of its rows missed the copy', async () => {
  const { table } = database();
  let reads = 0;
  const getMany: Table['getMany'] = async <T extends { pk: string; sk: string }>(
    keys: readonly { pk: string; sk: string }[],
  ) => {
    const rows = await table.getMany<T>(keys);
    return ++reads === 1 ? rows.map((row) => (row?.sk === 'COPY' ? undefined : row)) : rows;
  };
  const due = await stop({ ...table, getMany });
  expect(reads).toBe(2);
  expect(await copyOf()).toMatchObject({ canceled: true, lane: 'copy', dueAt: due[0]?.dueAt });
  expect(await stateOf()).toBe('stopped');
});

test('a copy that is taken from its worker notes when the lease of that worker ends', async () => {
  const { table } = database();
  const claims = testClaims(table, clock);
  const claim = await claimed<CopyRow>(claims, 'copy', { ...copyKey(requestId), dueAt: clock.now() });
  await stop(table);
  expect(await copyOf()).toMatchObject({ canceled: true, lateUntil: claim.leaseEnd });
  expect(await copyOf()).not.toHaveProperty('owner');
});

/** A table in which something happens just before the first transaction. */
function overtaken(before: () => Promise<unknown>): Table {
  const { table } = database();
  let begun = false;
  return {
    ...table,
    transact: async (writes) => {
      if (!begun) {
        begun = true;
        await before();
      }
      return table.transact(writes);
    },
  };
}

test('a copy that a worker claims while its request is stopped notes the lease of that worker', async () => {
  const { table } = database();
  const claims = testClaims(table, clock);
  let leaseEnd: number | undefined;
  const claim = async () => {
    const hint = { ...copyKey(requestId), dueAt: clock.now() };
    leaseEnd = (await claimed<CopyRow>(claims, 'copy', hint)).leaseEnd;
  };
  await stop(overtaken(claim));
  expect(leaseEnd).toBeDefined();
  expect(await copyOf()).toMatchObject({ canceled: true, lateUntil: leaseEnd });
});

test('a request whose status changes while it is stopped is counted with its last one', async () => {
  const { table } = database();
  const key = requestKey(requestId);
  await table.write({ update: key, set: { counted: true, status: 'processing' } });
  settle();
  const before = countsOf(await readRequestCounts(table, clock.now()));
  await stop(overtaken(() => table.write({ update: key, set: { status: 'postprocessing' } })));
  settle();
  const after = countsOf(await readRequestCounts(table, clock.now()));
  const change = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  expect(change('active processing')).toBe(0);
  expect(change('active postprocessing')).toBe(-1);
  expect(change('stopped postprocessing')).toBe(1);
});

test.each([false, true])(
  'a request that was stopped, and is stopped twice at once (purge: %s), leaves its count once',
  async (purge) => {
    const { table } = database();
    const expiresAt = requestExpiry(clock.now(), 30);
    await table.write({ update: requestKey(requestId), set: { counted: true, state: 'stopped', expiresAt } });
    await table.write({ update: copyKey(requestId), remove: ['lane', 'dueAt'] });
    clock.advance(2 * DAY);
    const again = () => stop(table, purge);
    const change = await changeOfCounts(() =>
      stop(overtaken(again), purge).catch((error) => expect(error).toMatchObject({ status: 404 })),
    );
    expect(change(expiresAt)).toBe(-1);
    expect(change(requestExpiry(clock.now(), 30))).toBe(purge ? 0 : 1);
  },
);

test('a request that is restarted while another call stops it again leaves the count of its last day', async () => {
  const { table } = database();
  const expiresAt = requestExpiry(clock.now(), 30);
  await table.write({ update: requestKey(requestId), set: { counted: true, state: 'stopped', expiresAt } });
  await table.write({ update: copyKey(requestId), remove: ['lane', 'dueAt'] });
  clock.advance(2 * DAY);
  const restarted = overtaken(() => stop(table));
  const register = createRegister({ table: restarted, now: clock.now, retentionDays: 30 });
  const change = await changeOfCounts(() =>
    register({ requestId }, true, async (writes, effect) => {
      await restarted.transact(writes);
      return effect;
    }),
  );
  expect(change(expiresAt)).toBe(-1);
  expect(change(requestExpiry(clock.now(), 30))).toBe(0);
});

const DAY = 86_400_000;

/** By how much an act changes the counts of a day. */
async function changeOfCounts(act: () => Promise<unknown>): Promise<(day: number) => number> {
  settle();
  const before = await countsByDay();
  await act();
  settle();
  const after = await countsByDay();
  return (day) => (after.get(day) ?? 0) - (before.get(day) ?? 0);
}

/** How many stopped requests whose video is complete expire on each day. */
async function countsByDay() {
  const rows = await database().table.queryAll<RowKey & { expiresAt?: number; 'stopped:complete'?: number }>({
    partition: REQUEST_COUNTS,
    consistent: true,
  });
  const byDay = Map.groupBy(rows, ({ expiresAt = 0 }) => expiresAt);
  return new Map(
    [...byDay].map(([day, counts]) => [
      day,
      counts.reduce((sum, row) => sum + (row['stopped:complete'] ?? 0), 0),
    ]),
  );
}

const countsOf = (counts: readonly RequestCounts[]) =>
  new Map(counts.map(({ state, status, count }) => [`${state} ${status}`, count]));

test('a copy that no worker has notes no such time', async () => {
  await stop(database().table);
  expect(await copyOf()).not.toHaveProperty('lateUntil');
});
