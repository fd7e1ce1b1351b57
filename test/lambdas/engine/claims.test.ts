import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { ROW_VERSION } from '../../../lambdas/domain/rows.ts';
import { type Hint, LEASE_MS, type RowKey, type Work } from '../../../lambdas/domain/work.ts';
import { againWrite, finishWrite, owned, progressWrite } from '../../../lambdas/engine/claim-writes.ts';
import { MAX_CLAIMS } from '../../../lambdas/engine/due-time.ts';
import { wake, withdraw } from '../../../lambdas/engine/wake.ts';
import { claimed, movingClock, testClaims, testClock } from '../../support/claims.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { settle } from '../../support/lagging-reads.ts';

type TestRow = RowKey & Work & { done?: number };

const database = useDatabase();
let rows = 0;

/** A row that is due now, and who works on it. */
async function setUp() {
  const { table } = database();
  const clock = testClock();
  const claims = testClaims(table, clock);
  const key = { pk: `ROW#${++rows}`, sk: 'ROW' };
  const hint: Hint = { ...key, dueAt: clock.now() };
  await table.write({ put: { ...key, lane: 'poll', dueAt: hint.dueAt } });
  const row = () => table.get<TestRow>(key);
  return { table, clock, claims, key, hint, row };
}

test('of two workers with the same hint one gets the row', async () => {
  const { claims, hint } = await setUp();
  const results = await Promise.all([claims.claim('poll', hint), claims.claim('poll', hint)]);
  expect(results.filter((result) => result === 'gone')).toHaveLength(1);
});

test('a claimed row is due again when its lease ends', async () => {
  const { claims, hint, row, clock } = await setUp();
  await claimed(claims, 'poll', hint);
  expect(await row()).toMatchObject({ lane: 'poll', dueAt: clock.now() + LEASE_MS, claims: 1 });
});

test('a hint for another lane or time, or of a row that is gone, claims nothing', async () => {
  const { claims, hint } = await setUp();
  expect(await claims.claim('copy', hint)).toBe('gone');
  expect(await claims.claim('poll', { ...hint, dueAt: hint.dueAt + 1 })).toBe('gone');
  expect(await claims.claim('poll', { ...hint, pk: 'ROW#none' })).toBe('gone');
});

test('a row that is due again has forgotten the claim', async () => {
  const { claims, hint, row, clock } = await setUp();
  const claim = await claimed(claims, 'poll', hint);
  const due = await claims.again(claim, clock.now() + 7_000, { set: { done: 1 } });
  expect(due).toEqual({ pk: hint.pk, sk: hint.sk, lane: 'poll', dueAt: clock.now() + 7_000 });
  const after = await row();
  expect(after).toMatchObject({ lane: 'poll', dueAt: clock.now() + 7_000, done: 1 });
  expect(after).not.toHaveProperty('owner');
  expect(after).not.toHaveProperty('claims');
});

test('a row that is finished leaves its lane', async () => {
  const { claims, hint, row, table } = await setUp();
  await claims.finish(await claimed(claims, 'poll', hint));
  expect(await row()).not.toHaveProperty('lane');
  settle();
  expect((await table.due('poll', 2 ** 45, 1_000)).map((due) => due.pk)).not.toContain(hint.pk);
});

test('a due time never repeats the one that was hinted', async () => {
  const { claims, hint, row } = await setUp();
  const claim = await claimed(claims, 'poll', hint);
  expect(await claims.again(claim, hint.dueAt)).toMatchObject({ dueAt: hint.dueAt + 1 });
  expect(await row()).toMatchObject({ dueAt: hint.dueAt + 1 });
  expect(await claims.claim('poll', hint)).toBe('gone');
});

test('a worker that outlives its lease changes nothing', async () => {
  const { claims, hint, row, clock, table } = await setUp();
  const late = await claimed<TestRow>(claims, 'poll', hint);
  clock.advance(LEASE_MS);
  const next = await claimed<TestRow>(claims, 'poll', { ...hint, dueAt: late.leaseEnd });
  const before = await row();

  expect(await claims.finish(late, { set: { done: 1 } })).toBe(false);
  expect(await claims.again(late, clock.now())).toBeUndefined();
  expect(await claims.renew(late)).toBe(false);
  expect(await claims.unclaim(late)).toBeUndefined();
  expect(await claims.retry(late, 'Error')).toBeUndefined();
  expect(await claims.park(late, 'late')).toBe(false);
  await expect(claims.progress(late, { done: 1 })).rejects.toThrow(ConditionFailed);
  await expect(claims.commit(late, finishWrite(late))).rejects.toThrow(ConditionFailed);
  await expect(table.transact([againWrite(late, 1).write])).rejects.toThrow(ConditionFailed);
  await expect(table.transact([progressWrite(late, 1).write])).rejects.toThrow(ConditionFailed);
  expect(await row()).toEqual(before);
  expect(await claims.finish(next)).toBe(true);
});

test('a renewed lease keeps the row for longer', async () => {
  const { claims, hint, clock, row } = await setUp();
  const claim = await claimed(claims, 'poll', hint);
  const first = claim.leaseEnd;
  clock.advance(60_000);
  expect(await claims.renew(claim)).toBe(true);
  expect(await claims.claim('poll', { ...hint, dueAt: first })).toBe('gone');
  expect((await row())?.dueAt).toBe(claim.leaseEnd);
});

test('a claim or release whose answer was lost is recognized as its own', async () => {
  const { hint, clock, row, table, claims } = await setUp();
  // The SDK tries again when an answer is lost, so the second try meets the first one's effect.
  const twice = testClaims(
    {
      ...table,
      write: async (write) => {
        await table.write(write);
        return table.write(write);
      },
    },
    clock,
  );
  const claim = await claimed<TestRow>(twice, 'poll', hint);
  expect(await row()).toMatchObject({ owner: claim.nonce, claims: 1 });
  const due = await twice.again(claim, clock.now() + 1_000);
  expect(await claims.claim('poll', { ...hint, dueAt: due?.dueAt ?? 0 })).not.toBe('gone');
});

test('progress keeps the row and forgets the claims that made none', async () => {
  const { claims, hint, clock, row } = await setUp();
  const first = await claimed(claims, 'poll', hint);
  clock.advance(LEASE_MS);
  const claim = await claimed(claims, 'poll', { ...hint, dueAt: first.leaseEnd });
  expect(claim.claimsWithoutProgress).toBe(1);
  clock.advance(30_000);
  await claims.progress(claim, { done: 3 });
  expect(claim.leaseEnd).toBe(clock.now() + LEASE_MS);
  expect(await row()).toMatchObject({ done: 3, dueAt: claim.leaseEnd, owner: claim.nonce });
  expect(await row()).not.toHaveProperty('claims');
});

test('what another writer makes due is taken from its worker, and from the parked rows', async () => {
  const { claims, hint, table, clock, row } = await setUp();
  const claim = await claimed<TestRow>(claims, 'poll', hint);
  await claims.park(claim, 'a reason');
  const parked = (await row()) as TestRow;
  const { write, due } = wake(parked, 'copy', clock.now(), { set: { done: 1 } });
  await table.write(write);
  expect(due.dueAt).not.toBe(parked.dueAt);
  const expected = { ...hint, lane: 'copy', dueAt: due.dueAt, done: 1, releasedBy: claim.nonce };
  expect(await row()).toEqual({ ...expected, v: ROW_VERSION });
  const woken = await claimed<TestRow>(claims, 'copy', due);
  await table.write(wake(woken.row, 'copy', clock.now()).write);
  expect(await claims.finish(woken)).toBe(false);
});

test('a row that is withdrawn has no owner, and no sweep finds it', async () => {
  const { claims, hint, table, row } = await setUp();
  const claim = await claimed(claims, 'poll', hint);
  await table.write(withdraw(hint, { set: { done: 1 } }));
  expect(await row()).toEqual({ pk: hint.pk, sk: hint.sk, done: 1, v: ROW_VERSION });
  expect(await claims.finish(claim)).toBe(false);
});

test('every due time that is returned is the one that its row has, while the clock moves', async () => {
  const { table, hint, row } = await setUp();
  const clock = movingClock();
  const claims = testClaims(table, clock);
  const take = (due: Hint) => claimed<TestRow>(claims, 'poll', due);
  const isOnRow = async (due: Hint | undefined) => {
    expect((await row())?.dueAt).toBe(due?.dueAt);
    return due as Hint;
  };
  let due = await isOnRow(await claims.again(await take(hint), clock.now()));
  due = await isOnRow(await claims.unclaim(await take(due)));
  due = await isOnRow(await claims.retry(await take(due), 'Error'));
  const claim = await take(due);
  await claims.progress(claim);
  expect((await row())?.dueAt).toBe(claim.leaseEnd);
  const other = { put: { pk: `${hint.pk}#other`, sk: 'ROW' } };
  due = await isOnRow(await claims.commit(claim, againWrite(claim, clock.now()), [other]));
  const woken = wake({ ...due }, 'poll', clock.now());
  await table.write(woken.write);
  await isOnRow(woken.due);
});

test('a writer that changes what is due takes the row from its worker', async () => {
  const { claims, hint, table, key, clock } = await setUp();
  const claim = await claimed(claims, 'poll', hint);
  const { write, due } = wake(key, 'poll', clock.now() + 5);
  await table.write(write);
  expect(await claims.finish(claim)).toBe(false);
  await claimed(claims, 'poll', due);
});

test(`a row claimed ${MAX_CLAIMS} times without progress is parked by the next claim, and no sweep finds it`, async () => {
  const { claims, hint, row, table } = await setUp();
  let due = hint;
  for (let i = 0; i < MAX_CLAIMS; i++) {
    const claim = await claimed(claims, 'poll', due);
    expect(claim.claimsWithoutProgress).toBe(i);
    due = { ...hint, dueAt: claim.leaseEnd };
  }
  expect(await claims.claim('poll', due)).toBe('parked');
  expect(await row()).toMatchObject({ lane: 'parked', parked: { lane: 'poll' } });
  settle();
  expect((await table.due('poll', 2 ** 45, 1_000)).map((found) => found.pk)).not.toContain(hint.pk);
  expect((await table.due('parked', 2 ** 45, 1_000)).map((found) => found.pk)).toContain(hint.pk);
});

test('a row that another writer takes just before it would be parked is gone, and not parked', async () => {
  const { claims, hint, row, table, clock, key } = await setUp();
  let due = hint;
  for (let i = 0; i < MAX_CLAIMS; i++) {
    due = { ...hint, dueAt: (await claimed(claims, 'poll', due)).leaseEnd };
  }
  let writes = 0;
  const interrupted = testClaims(
    {
      ...table,
      write: async (write, wanted) => {
        if (++writes === 2) await table.write(wake(key, 'poll', clock.now() + 5).write);
        return table.write(write, wanted);
      },
    },
    clock,
  );
  expect(await interrupted.claim('poll', due)).toBe('gone');
  expect(await row()).toMatchObject({ lane: 'poll', dueAt: clock.now() + 5 });
});

test('work that threw is due again after a backoff, and stays counted', async () => {
  const { claims, hint, row, clock } = await setUp();
  const claim = await claimed(claims, 'poll', hint);
  const due = await claims.retry(claim, 'ThrottlingException');
  expect(due?.dueAt).toBe(clock.now() + 5_000);
  expect(await row()).toMatchObject({ lane: 'poll', dueAt: due?.dueAt, claims: 1 });
  const again = await claimed(claims, 'poll', due as Hint);
  expect(again.claimsWithoutProgress).toBe(1);
});

test('the reason of a row that is parked for failing names its last error', async () => {
  const { claims, hint, row } = await setUp();
  let due: Hint = hint;
  for (let i = 0; i < MAX_CLAIMS; i++) {
    due = (await claims.retry(await claimed(claims, 'poll', due), 'ThrottlingException')) as Hint;
  }
  expect(await claims.claim('poll', due)).toBe('parked');
  expect((await row())?.parked?.reason).toContain('last error: ThrottlingException');
  expect(await row()).not.toHaveProperty('lastFailure');
});

test('work that was not begun is due again at once, and its claim is not counted', async () => {
  const { claims, hint, row, clock } = await setUp();
  await claimed(claims, 'poll', hint);
  clock.advance(LEASE_MS);
  const lease = { ...hint, dueAt: (await row())?.dueAt ?? 0 };
  const due = await claims.unclaim(await claimed(claims, 'poll', lease));
  expect(await row()).toMatchObject({ lane: 'poll', dueAt: due?.dueAt, claims: 1 });
  expect(await row()).not.toHaveProperty('owner');
});

test('a planned wait does not count as a claim without progress', async () => {
  const { claims, hint, clock } = await setUp();
  let due: Hint = hint;
  for (let i = 0; i < 3 * MAX_CLAIMS; i++) {
    const claim = await claimed(claims, 'poll', due);
    clock.advance(1_000);
    due = (await claims.again(claim, clock.now())) as Hint;
  }
  expect((await claimed(claims, 'poll', due)).claimsWithoutProgress).toBe(0);
});

test('a transaction of the work is refused as a whole when the row was lost', async () => {
  const { claims, hint, table, clock, key } = await setUp();
  const claim = await claimed(claims, 'poll', hint);
  clock.advance(LEASE_MS);
  await claimed(claims, 'poll', { ...hint, dueAt: claim.leaseEnd });
  const event = { pk: key.pk, sk: 'EVENT' };
  const writes = [{ update: key, set: { done: 1 }, if: [owned(claim)] }, { put: event }];
  await expect(table.transact(writes)).rejects.toMatchObject({ name: 'ConditionFailed', failed: [0] });
  expect(await table.get(event)).toBeUndefined();
});

test('a row that killed its workers is parked with that as the reason', async () => {
  const { claims, hint, row } = await setUp();
  let due = hint;
  for (let i = 0; i < MAX_CLAIMS; i++) {
    due = { ...hint, dueAt: (await claimed(claims, 'poll', due)).leaseEnd };
  }
  expect(await claims.claim('poll', due)).toBe('parked');
  const reason = `claimed ${MAX_CLAIMS} times without progress (the worker crashes or times out)`;
  expect((await row())?.parked?.reason).toBe(reason);
});

test('what a worker notes is on the row and in its claim, and is refused when the row was lost', async () => {
  const { claims, hint, row, clock } = await setUp();
  const claim = await claimed<TestRow>(claims, 'poll', hint);
  await claims.note(claim, { done: 3 });
  expect(claim.row.done).toBe(3);
  expect(await row()).toMatchObject({ done: 3, owner: claim.nonce });
  clock.advance(LEASE_MS);
  await claimed(claims, 'poll', { ...hint, dueAt: claim.leaseEnd });
  await expect(claims.note(claim, { done: 4 })).rejects.toBeInstanceOf(ConditionFailed);
  expect(claim.row.done).toBe(3);
  expect(await row()).toMatchObject({ done: 3 });
});

test('an error of the table is thrown, and taken for no loss of the row', async () => {
  const { claims, hint, table, clock } = await setUp();
  const claim = await claimed(claims, 'poll', hint);
  const error = new Error('out of reach');
  const down = testClaims({ ...table, write: () => Promise.reject(error) }, clock);
  await expect(down.claim('poll', hint)).rejects.toBe(error);
  await expect(down.finish(claim)).rejects.toBe(error);
  await expect(down.again(claim, clock.now())).rejects.toBe(error);
  expect(claim.ended).toBeUndefined();
});
