import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Context, SQSEvent } from 'aws-lambda';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { log } from '../../../lambdas/adapters/lambda/log.ts';
import { requestIdOf, requestKey } from '../../../lambdas/domain/rows.ts';
import { type Hint, LEASE_MS, type RowKey, type Work } from '../../../lambdas/domain/work.ts';
import type { Claim } from '../../../lambdas/engine/claim-writes.ts';
import { MAX_CLAIMS } from '../../../lambdas/engine/due-time.ts';
import { Denied, NeedsPerson } from '../../../lambdas/engine/failure.ts';
import { encodeHints } from '../../../lambdas/engine/hint-message.ts';
import { type StageOptions, stage } from '../../../lambdas/engine/stage.ts';
import { testClaims, testClock } from '../../support/claims.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { recordHints } from '../../support/recorded-hints.ts';

type TestRow = RowKey & Work;

/** What the stage says and counts. */
const said: { level: string; message: unknown; extra: unknown }[] = [];
const counted: string[] = [];
beforeEach(() => {
  said.length = 0;
  counted.length = 0;
  for (const level of ['info', 'error'] as const)
    vi.spyOn(log, level).mockImplementation((...[message, extra]) => {
      said.push({ level, message, extra });
    });
  vi.spyOn(Metrics.prototype, 'addMetric').mockImplementation(function (this: Metrics, name) {
    counted.push(name);
    return this;
  });
});
afterEach(() => void vi.restoreAllMocks());

const database = useDatabase();
let rows = 0;

async function setUp(
  work: StageOptions<TestRow>['work'],
  options: Partial<Pick<StageOptions<TestRow>, 'rowMs' | 'sequence' | 'claims'>> = {},
) {
  const { table } = database();
  const clock = testClock();
  const claims = testClaims(table, clock);
  const hints = recordHints(table);
  const handler = stage<TestRow>({ lanes: ['poll'], claims, hints, now: clock.now, work, ...options });

  async function dueRow(): Promise<Hint> {
    const hint = { ...requestKey(`r${++rows}`), dueAt: clock.now() };
    await table.write({ put: { ...hint, lane: 'poll' } });
    return hint;
  }
  const invoke = (hinted: Hint[][], remainingMs = 60_000, others: string[] = []) => {
    const records = [
      ...hinted.map((hint, i) => ({ messageId: `m${i}`, body: encodeHints('poll', hint) })),
      ...others.map((body, i) => ({ messageId: `other${i}`, body })),
    ];
    const context = { getRemainingTimeInMillis: () => remainingMs } as Context;
    return handler({ Records: records } as SQSEvent, context);
  };
  const row = (hint: Hint) => table.get<TestRow>(hint);
  return { table, clock, claims, hints, invoke, dueRow, row };
}

/** How a line of the log names a row, and what the row is about. */
const named = ({ pk, sk }: RowKey) => ({ lane: 'poll', row: { pk, sk }, requestId: requestIdOf({ pk, sk }) });

test('each row that the messages name is worked on once', async () => {
  const worked: string[] = [];
  const { invoke, dueRow, claims } = await setUp(async (claim) => {
    worked.push(claim.row.pk);
    await claims.finish(claim);
  });
  const due = [await dueRow(), await dueRow(), await dueRow()] as const;
  const answer = await invoke([[due[0], due[1]], [due[2]], [due[0]]]);
  expect(answer).toEqual({ batchItemFailures: [] });
  expect(worked.sort()).toEqual(due.map((hint) => hint.pk).sort());
});

test('a row that throws is due again, hinted, and takes no other along', async () => {
  const { invoke, dueRow, claims, hints, row } = await setUp(async (claim) => {
    if (claim.row.pk === bad.pk) throw new Error('boom');
    await claims.finish(claim);
  });
  const bad = await dueRow();
  const good = await dueRow();
  expect(await invoke([[bad], [good]])).toEqual({ batchItemFailures: [] });
  const again = await row(bad);
  expect(again).toMatchObject({ lane: 'poll', claims: 1 });
  const extra = { ...named(bad), retryAt: again?.dueAt, error: new Error('boom') };
  expect(said).toEqual([{ level: 'error', message: 'work failed', extra }]);
  expect(hints.of('poll')).toEqual([{ pk: bad.pk, sk: bad.sk, dueAt: again?.dueAt }]);
  expect(await row(good)).not.toHaveProperty('lane');
});

test('a row whose work throws after its claim ended is left as it is', async () => {
  const { invoke, dueRow, claims, hints, row, clock } = await setUp(async (claim) => {
    await claims.again(claim, clock.now() + 60_000);
    throw new Error('too late');
  });
  const due = await dueRow();
  expect(await invoke([[due]])).toEqual({ batchItemFailures: [] });
  expect(await row(due)).toMatchObject({ lane: 'poll', dueAt: clock.now() + 60_000 });
  const extra = { ...named(due), error: new Error('too late') };
  expect(said).toEqual([{ level: 'error', message: 'failed after the claim ended', extra }]);
  expect(await row(due)).not.toHaveProperty('lastFailure');
  expect(hints.sent).toEqual([]);
});

test('a row that only a person can mend is parked at once, and counted', async () => {
  const { invoke, dueRow, row } = await setUp(async () => {
    throw new NeedsPerson('the bucket denies access');
  });
  const due = await dueRow();
  await invoke([[due]]);
  expect(await row(due)).toMatchObject({
    lane: 'parked',
    parked: { reason: 'the bucket denies access', lane: 'poll' },
  });
  expect(counted).toEqual(['ParkedRows']);
  const extra = { ...named(due), reason: 'the bucket denies access' };
  expect(said).toEqual([{ level: 'error', message: 'parked', extra }]);
});

test('a denied permission is tried again for some minutes before its row is parked', async () => {
  const { invoke, dueRow, row, hints, clock } = await setUp(async () => {
    throw new Denied('the bucket denies access: allow the function to use it');
  });
  const due = await dueRow();
  const since = clock.now();
  let hint: Hint | undefined = due;
  while ((await row(due))?.lane === 'poll' && hint) {
    hints.clear();
    await invoke([[hint]]);
    hint = hints.of('poll').at(0);
    clock.advance((hint?.dueAt ?? clock.now()) - clock.now());
  }
  expect(await row(due)).toMatchObject({
    lane: 'parked',
    parked: { reason: 'the bucket denies access: allow the function to use it' },
  });
  expect(clock.now() - since).toBeGreaterThanOrEqual(300_000);
});

test('a row that kills its worker is parked in the end', async () => {
  const { invoke, dueRow, row, clock } = await setUp(() => new Promise(() => {}));
  const due = await dueRow();
  let hint = due;
  for (let i = 0; i < MAX_CLAIMS; i++) {
    // The worker dies: its invocation never ends, and the lease runs out.
    void invoke([[hint]]);
    const claims = i + 1;
    await vi.waitFor(async () => expect((await row(due))?.claims).toBe(claims));
    hint = { ...due, dueAt: (await row(due))?.dueAt ?? 0 };
    clock.advance(LEASE_MS);
  }
  await invoke([[hint]]);
  expect(await row(due)).toMatchObject({ lane: 'parked', parked: { lane: 'poll' } });
  const extra = { ...named(due), reason: 'claimed too often without progress' };
  expect(said).toEqual([{ level: 'error', message: 'parked', extra }]);
  expect(counted).toEqual(['ParkedRows']);
});

test('an invocation that runs out of time is not answered while its work goes on', async () => {
  // The clock stands still, so the work begins; the true time that is left is over before it ends.
  const { invoke, dueRow, claims } = await setUp(
    async (claim) => {
      await claims.finish(claim);
    },
    { rowMs: 0 },
  );
  expect(await invoke([[await dueRow()]], 1)).toEqual({ batchItemFailures: [] });
});

test('rows that were claimed before without progress run after the others, alone', async () => {
  const running = new Set<string>();
  const log: { pk: string; alone: boolean }[] = [];
  const { invoke, dueRow, claims, clock } = await setUp(async (claim) => {
    running.add(claim.row.pk);
    await Promise.resolve();
    log.push({ pk: claim.row.pk, alone: running.size === 1 });
    await claims.finish(claim);
    running.delete(claim.row.pk);
  });
  const suspect = await dueRow();
  const claim = (await claims.claim('poll', suspect)) as Claim;
  clock.advance(LEASE_MS);
  const others = [await dueRow(), await dueRow()];
  await invoke([[{ ...suspect, dueAt: claim.leaseEnd }], ...others.map((hint) => [hint])]);
  expect(log.at(-1)).toEqual({ pk: suspect.pk, alone: true });
  expect(log).toHaveLength(3);
});

test('rows that there is no time for are left unclaimed and hinted again', async () => {
  const { invoke, dueRow, row, hints } = await setUp(async () => {
    throw new Error('not to be reached');
  });
  const due = [await dueRow(), await dueRow()];
  expect(await invoke([due], 1_000)).toEqual({ batchItemFailures: [] });
  expect(hints.of('poll')).toEqual(due);
  expect(await row(due[0] as Hint)).not.toHaveProperty('claims');
});

test('work that was superseded ends quietly', async () => {
  const { invoke, dueRow, claims, hints, table, row } = await setUp(async (claim) => {
    await table.write({ update: claim.row, set: { dueAt: 5 }, remove: ['owner', 'claims'] });
    await table.write({
      update: claim.row,
      set: { done: 1 },
      if: [{ attribute: 'owner', is: '=', value: claim.nonce }],
    });
    await claims.finish(claim);
  });
  const due = await dueRow();
  expect(await invoke([[due]])).toEqual({ batchItemFailures: [] });
  expect(await row(due)).toMatchObject({ lane: 'poll', dueAt: 5 });
  expect(said).toEqual([{ level: 'info', message: 'superseded', extra: named(due) }]);
  expect(hints.sent).toEqual([]);
});

test.each([new NeedsPerson('no bucket'), new Error('boom')])(
  'a failure of work whose row was taken meanwhile parks nothing, and is told: %s',
  async (error) => {
    const { invoke, dueRow, hints, table, row } = await setUp(async (claim) => {
      await table.write({ update: claim.row, set: { dueAt: 5 }, remove: ['owner', 'claims'] });
      throw error;
    });
    const due = await dueRow();
    await invoke([[due]]);
    expect(await row(due)).toMatchObject({ lane: 'poll', dueAt: 5 });
    expect(said).toEqual([{ level: 'info', message: 'superseded', extra: { ...named(due), error } }]);
    expect([counted, hints.sent]).toEqual([[], []]);
  },
);

test('work that lost against a writer of another row is tried again, and says so', async () => {
  const { invoke, dueRow, hints, row } = await setUp(async () => {
    throw new ConditionFailed([1], new Map());
  });
  const due = await dueRow();
  await invoke([[due]]);
  const { dueAt, owner, lastFailure } = (await row(due)) as TestRow;
  expect([owner, lastFailure]).toEqual([undefined, 'ConditionFailed']);
  expect(hints.of('poll')).toEqual([{ pk: due.pk, sk: due.sk, dueAt }]);
  expect(said).toMatchObject([{ level: 'error', message: 'work failed', extra: { retryAt: dueAt } }]);
});

test('a suspect that cannot be handed back is left to its lease, and the rest of the invocation is not lost', async () => {
  const { dueRow, claims, table, row } = await setUp(async () => {});
  const [suspect, slow, late] = [await dueRow(), await dueRow(), await dueRow()];
  await table.write({ update: suspect, set: { claims: 1 } });
  const error = new Error('the table is out of reach');
  const { invoke, hints, clock } = await setUp(
    async (claim) => {
      clock.advance(60_000);
      await claims.finish(claim);
    },
    { claims: { ...claims, unclaim: () => Promise.reject(error) }, sequence: () => 'one after another' },
  );
  expect(await invoke([[suspect, slow, late]])).toEqual({ batchItemFailures: [] });
  expect(await row(suspect)).toMatchObject({ lane: 'poll', claims: 2 });
  expect(hints.of('poll')).toEqual([late]);
  const extra = { ...named(suspect), error };
  expect(said).toEqual([{ level: 'error', message: 'release failed', extra }]);
});

test('a message whose row cannot be claimed comes again, and is the only one that does', async () => {
  const { table, dueRow, claims, row } = await setUp(async () => {});
  const [bad, good] = [await dueRow(), await dueRow()];
  const error = new Error('the table is out of reach');
  const { invoke } = await setUp((claim) => claims.finish(claim).then(() => {}), {
    claims: {
      ...claims,
      claim: (lane, hint) => (hint.pk === bad.pk ? Promise.reject(error) : claims.claim(lane, hint)),
    },
  });
  expect(await invoke([[bad], [good]])).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
  expect(await row(good)).not.toHaveProperty('lane');
  expect(await table.get(bad)).toMatchObject({ lane: 'poll', dueAt: bad.dueAt });
  expect(said).toEqual([{ level: 'error', message: 'claim failed', extra: { ...named(bad), error } }]);
});

test('a row whose claim cannot be ended either is left to its lease', async () => {
  const { dueRow, claims, row, clock } = await setUp(async () => {});
  const due = await dueRow();
  const error = new Error('the table is out of reach');
  const { invoke, hints } = await setUp(() => Promise.reject(new Error('boom')), {
    claims: { ...claims, retry: () => Promise.reject(error) },
  });
  expect(await invoke([[due]])).toEqual({ batchItemFailures: [] });
  expect(await row(due)).toMatchObject({ lane: 'poll', claims: 1, dueAt: clock.now() + LEASE_MS });
  expect(hints.sent).toEqual([]);
  const extra = { ...named(due), error };
  expect(said).toEqual([{ level: 'error', message: 'release failed', extra }]);
});

test('a message that is not of this stage is dropped, and the others are worked on', async () => {
  const { invoke, dueRow, claims, row } = await setUp((claim) => claims.finish(claim).then(() => {}));
  const due = await dueRow();
  const others = [encodeHints('copy', [due]), '{"lane":"poll"', '{}'];
  expect(await invoke([[due]], 60_000, others)).toEqual({ batchItemFailures: [] });
  expect(await row(due)).not.toHaveProperty('lane');
  expect(said).toEqual(
    others.map((_, i) => ({
      level: 'error',
      message: 'not a message of this stage; dropped',
      extra: { messageId: `other${i}` },
    })),
  );
});

test('rows of one sequence are worked on one after another, in the order of their messages', async () => {
  const running = new Set<string>();
  const log: string[] = [];
  const together: number[] = [];
  const { invoke, dueRow } = await setUp(
    async ({ row: { pk } }) => {
      running.add(pk);
      log.push(pk);
      together.push(running.size);
      await new Promise(setImmediate);
      running.delete(pk);
    },
    { sequence: () => 'one' },
  );
  const due = [await dueRow(), await dueRow(), await dueRow()];
  await invoke(due.map((hint) => [hint]));
  expect(log).toEqual(due.map(({ pk }) => pk));
  expect(together).toEqual([1, 1, 1]);
});

test('no work is begun at the deadline, which is the time that a row needs before the end', async () => {
  const deadlines: number[] = [];
  const { invoke, dueRow, claims, hints, clock } = await setUp(
    async (claim, { deadline }) => {
      deadlines.push(deadline);
      await claims.finish(claim);
    },
    { rowMs: 20_000 },
  );
  const late = await dueRow();
  await invoke([[late]], 20_000);
  expect(hints.of('poll')).toEqual([late]);
  expect(deadlines).toEqual([]);
  await invoke([[late]], 20_001);
  expect(deadlines).toEqual([clock.now() + 1]);
});

test('rows that were claimed before, and that there is no time for at the end, are given back uncounted', async () => {
  const { invoke, dueRow, claims, clock, row, hints } = await setUp(
    async (claim) => {
      clock.advance(50_000);
      await claims.finish(claim);
    },
    { rowMs: 10_000 },
  );
  const suspect = await dueRow();
  const { leaseEnd } = (await claims.claim('poll', suspect)) as Claim;
  clock.advance(LEASE_MS);
  const quick = await dueRow();
  await invoke([[{ ...suspect, dueAt: leaseEnd }], [quick]]);
  const given = await row(suspect);
  expect(given).toMatchObject({ lane: 'poll', claims: 1 });
  expect(hints.of('poll')).toEqual([{ pk: suspect.pk, sk: suspect.sk, dueAt: given?.dueAt }]);
});

test('work hints what it made due', async () => {
  const { invoke, dueRow, claims, clock, hints } = await setUp(async (claim, { hint }) => {
    await hint(await claims.again(claim, clock.now() + 1_000));
  });
  const due = await dueRow();
  await invoke([[due]]);
  expect(hints.of('poll')).toEqual([{ ...due, dueAt: clock.now() + 1_000 }]);
});

test('what was counted is published once, at the end', async () => {
  const published = vi.spyOn(Metrics.prototype, 'publishStoredMetrics').mockReturnThis();
  vi.spyOn(Metrics.prototype, 'hasStoredMetrics').mockReturnValue(true);
  const { invoke, dueRow, claims } = await setUp((claim) => claims.finish(claim).then(() => {}));
  await invoke([[await dueRow()], [await dueRow()]]);
  expect(published).toHaveBeenCalledTimes(1);
});
