import {
  type BatchGetItemCommandInput,
  ThrottlingException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConditionFailed, type Row } from '../../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { equals } from '../../../../lambdas/adapters/dynamodb/expression.ts';
import { createTable } from '../../../../lambdas/adapters/dynamodb/table.ts';
import { ROW_VERSION } from '../../../../lambdas/domain/rows.ts';
import { outcomeOf } from '../../../../lambdas/engine/failure.ts';
import { dynamoEngines } from '../../../../local/aws/emulators.ts';
import { startDatabase, type TestDatabase } from '../../../support/dynamodb.ts';
import { settle } from '../../../support/lagging-reads.ts';

/** A row as it is once it was put. */
const stored = <R extends object>(row: R) => ({ ...row, v: ROW_VERSION });

describe.each(dynamoEngines())('the table on $name', (engine) => {
  let database: TestDatabase;
  let rows = 0;
  beforeAll(async () => {
    database = await startDatabase(engine);
  });
  afterAll(() => database?.stop());
  const newKey = () => ({ pk: `ROW#${++rows}`, sk: 'ROW' });

  test('a row is read as it was written, with the version of its shape and without what is undefined', async () => {
    const key = newKey();
    await database.table.write({
      put: { ...key, text: 'ä', nested: { list: [1, { a: true }] }, none: undefined },
    });
    expect(await database.table.get(key)).toEqual(
      stored({ ...key, text: 'ä', nested: { list: [1, { a: true }] } }),
    );
  });

  test('a row of a later release keeps its version, whether it is updated or put again', async () => {
    const { table } = database;
    const later = { ...newKey(), v: ROW_VERSION + 1, n: 1, unknown: 'here' };
    await table.write({ put: later });
    expect(await table.write({ update: later, set: { n: 2 } })).toEqual({ ...later, n: 2 });
    await table.transact([{ put: { ...later, n: 3 } }]);
    expect(await table.get(later)).toEqual({ ...later, n: 3 });
  });

  test('a row with a version is not converted, though it looks like a delivery of release 0.1', async () => {
    const row = { ...newKey(), payload: {}, eventId: 'msg_1', endpointId: 'ep_1', createdAt: 0 };
    for (const v of [ROW_VERSION, ROW_VERSION + 1]) {
      await database.table.write({ put: { ...row, v } });
      expect(await database.table.get(row)).toEqual({ ...row, v });
    }
  });

  test('a row that is not there is undefined', async () => {
    expect(await database.table.get(newKey())).toBeUndefined();
  });

  test('an update sets, adds and removes at once, and returns the row', async () => {
    const { table } = database;
    const key = newKey();
    await table.write({ put: { ...key, old: 1, map: { kept: 1 }, count: 2 } });
    const row = await table.write<Row>({
      update: key,
      set: { 'map.added': 2, name: 'reserved word', skipped: undefined },
      setIfAbsent: { count: 100, first: 1 },
      remove: ['old'],
    });
    expect(row).toEqual(
      stored({ ...key, map: { kept: 1, added: 2 }, name: 'reserved word', count: 2, first: 1 }),
    );
    expect(await table.write<Row>({ update: key, add: { count: 5 } })).toMatchObject({ count: 7 });
  });

  test.each([
    { set: { a: 1 }, remove: ['a'] },
    { set: { a: 1 }, setIfAbsent: { a: 2 } },
    { set: { 'a.b': 1 }, remove: ['a'] },
  ])('an update that names an attribute twice is refused', async (change) => {
    const write = database.table.write({ update: newKey(), ...change });
    await expect(write).rejects.toThrow('changes "a" twice');
  });

  test('an update that changes nothing is a check of its condition, alone and in a transaction', async () => {
    const { table } = database;
    const [key, other, missing] = [newKey(), newKey(), newKey()];
    await table.write({ put: { ...key, n: 1 } });
    const unchanged = { update: key, set: { gone: undefined }, remove: [], if: [equals('n', 1)] };
    expect(await table.write(unchanged)).toEqual(stored({ ...key, n: 1 }));
    await table.transact([{ put: other }, unchanged, { update: missing }]);
    expect(await table.get(other)).toEqual(stored(other));
    expect(await table.get(missing)).toBeUndefined();

    const wrong = { ...unchanged, if: [equals('n', 2)] };
    await expect(table.write(wrong)).rejects.toMatchObject({ name: 'ConditionFailed', failed: [0] });
    const transaction = table.transact([{ put: newKey() }, wrong]);
    await expect(transaction).rejects.toMatchObject({ name: 'ConditionFailed', failed: [1] });
  });

  test('rows that are due at the same time come in the order of their keys', async () => {
    const { table } = database;
    const lane = `lane-${++rows}`;
    for (const sk of ['c', 'a', 'b']) await table.write({ put: { pk: 'SAME', sk, lane, dueAt: 7 } });
    await table.write({ put: { pk: 'SAME', sk: 'z', lane, dueAt: 6 } });
    settle();
    expect((await table.due(lane, 7, 10)).map(({ sk }) => sk)).toEqual(['z', 'a', 'b', 'c']);
  });

  test('a refused write says how the row is', async () => {
    const { table } = database;
    const key = newKey();
    await table.write({ put: { ...key, owner: 'a' } });
    const refused = table.write({
      update: key,
      set: { done: 1 },
      if: [{ attribute: 'owner', is: '=', value: 'b' }],
    });
    await expect(refused).rejects.toThrow(ConditionFailed);
    const error: ConditionFailed = await refused.catch((cause) => cause);
    expect(error.rows.get(0)).toEqual(stored({ ...key, owner: 'a' }));
  });

  test.each([
    { is: 'absent', attribute: 'missing', holds: true },
    { is: 'present', attribute: 'missing', holds: false },
    { is: 'present', attribute: 'n', holds: true },
    { is: '<', attribute: 'n', value: 6, holds: true },
    { is: '>=', attribute: 'n', value: 6, holds: false },
    { is: '=', attribute: 'missing', value: 6, holds: false },
  ] as const)('a condition on $attribute: $is $value', async ({ holds, ...condition }) => {
    const { table } = database;
    const key = newKey();
    await table.write({ put: { ...key, n: 5 } });
    const write = table.write({ update: key, set: { seen: true }, if: [condition] });
    if (holds) await write;
    else await expect(write).rejects.toThrow(ConditionFailed);
    expect((await table.get<Row>(key))?.seen).toBe(holds ? true : undefined);
  });

  test('a transaction writes all or nothing, and names the clauses that failed', async () => {
    const { table } = database;
    const [a, b, c] = [newKey(), newKey(), newKey()];
    await table.write({ put: { ...b, n: 1 } });
    const writes = [
      { put: a, if: [{ attribute: 'pk', is: 'absent' as const }] },
      { check: b, if: [{ attribute: 'n', is: '=' as const, value: 2 }] },
      { update: c, set: { n: 1 } },
    ];
    const error: ConditionFailed = await table.transact(writes).catch((cause) => cause);
    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error.failed).toEqual([1]);
    expect(error.rows.get(1)).toMatchObject({ n: 1 });
    expect(await table.getMany([a, c])).toEqual([undefined, undefined]);

    await table.write({ put: { ...b, n: 2 } });
    await table.transact(writes);
    expect(await table.getMany([c, a])).toEqual([{ ...c, n: 1 }, stored(a)]);
  });

  test('many rows are read by as many calls as it takes, each in its place', async () => {
    const { table } = database;
    const keys = Array.from({ length: 230 }, (_, n) => ({ pk: `many#${n}`, sk: 'x' }));
    for (let at = 0; at < keys.length; at += 100) {
      await table.transact(keys.slice(at, at + 100).map((key) => ({ put: key })));
    }
    // A row that is named twice would be refused if both were in one call.
    const again = [keys[0]!, keys.at(-1)!];
    const read = await table.getMany([...keys, ...again, { pk: 'none', sk: 'x' }]);
    expect(read).toEqual([...[...keys, ...again].map(stored), undefined]);
  });

  test('the keys that DynamoDB leaves out of a batch read are read again', async () => {
    const { client, tableName, table } = database;
    const keys = Array.from({ length: 5 }, newKey);
    await table.transact(keys.map((key) => ({ put: key })));
    let calls = 0;
    client.middlewareStack.add(
      (next) => async (args) => {
        const { RequestItems = {} } = args.input as BatchGetItemCommandInput;
        const { Keys = [], ...how } = RequestItems[tableName] ?? {};
        if (Keys.length < 2) return next(args);
        calls++;
        const read = { RequestItems: { [tableName]: { ...how, Keys: Keys.slice(0, 1) } } };
        const result = await next({ ...args, input: read as typeof args.input });
        const left = { [tableName]: { ...how, Keys: Keys.slice(1) } };
        return { ...result, output: { ...result.output, UnprocessedKeys: left } };
      },
      { step: 'initialize', name: 'oneByOne' },
    );
    try {
      expect(await createTable(client, tableName, () => 0).getMany(keys)).toEqual(keys.map(stored));
    } finally {
      client.middlewareStack.remove('oneByOne');
    }
    expect(calls).toBe(4);
  });

  test('transactions that meet on a row all come through', async () => {
    const { table } = database;
    const key = newKey();
    await Promise.all(
      Array.from({ length: 10 }, () => table.transact([{ update: key, add: { n: 1 } }, { put: newKey() }])),
    );
    expect(await table.get<Row>(key)).toMatchObject({ n: 10 });
  });

  describe('in the way of a transaction of others', () => {
    const common = { message: '', $metadata: {} };
    const canceled = (...codes: string[]) =>
      new TransactionCanceledException({ ...common, CancellationReasons: codes.map((Code) => ({ Code })) });

    /** The table, whose first calls end in these errors; no waiting between them. */
    async function refusedBy<T>(
      errors: Error[],
      use: (table: TestDatabase['table']) => Promise<T>,
    ): Promise<T> {
      const { client, tableName } = database;
      client.middlewareStack.add(
        (next) => async (args) => {
          const error = errors.shift();
          if (error) throw error;
          return next(args);
        },
        { step: 'initialize', name: 'inTheWay', override: true },
      );
      try {
        return await use(createTable(client, tableName, () => 0));
      } finally {
        client.middlewareStack.remove('inTheWay');
      }
    }

    test('a single write comes through', async () => {
      const key = newKey();
      const conflict = new TransactionConflictException(common);
      const row = await refusedBy([conflict], (table) => table.write<Row>({ update: key, add: { n: 1 } }));
      expect(row).toEqual({ ...key, n: 1 });
    });

    test.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])(
      'a transaction canceled for %s comes through',
      async (code) => {
        const key = newKey();
        await refusedBy([canceled('None', code)], (table) => table.transact([{ put: key }]));
        expect(await database.table.get(key)).toEqual(stored(key));
      },
    );

    test('what never comes through is no refusal, so its work is tried again', async () => {
      const conflicts = Array.from({ length: 100 }, () => canceled('TransactionConflict'));
      const never = refusedBy(conflicts, (table) => table.transact([{ put: newKey() }]));
      await expect(never).rejects.toThrow(TransactionCanceledException);
      expect(await never.catch((error) => outcomeOf(error, 1))).toBe('retry');
    });

    test('a throttled transaction is sent as often as the client sends a throttled write', async () => {
      const errors = Array.from({ length: 100 }, () => canceled('None', 'ThrottlingError'));
      const never = refusedBy(errors, (table) => table.transact([{ put: newKey() }]));
      await expect(never).rejects.toThrow(TransactionCanceledException);
      expect(100 - errors.length).toBe(await database.client.config.maxAttempts());
    });

    test('a throttled write, which the client has sent again already, is not sent once more', async () => {
      const errors = [new ThrottlingException(common), new ThrottlingException(common)];
      const throttled = refusedBy(errors, (table) => table.write({ put: newKey() }));
      await expect(throttled).rejects.toThrow(ThrottlingException);
      expect(errors).toHaveLength(1);
    });

    test('a condition that does not hold is a refusal at once', async () => {
      const refused = refusedBy([canceled('TransactionConflict', 'ConditionalCheckFailed')], (table) =>
        table.transact([{ put: newKey() }]),
      );
      await expect(refused).rejects.toThrow(ConditionFailed);
    });
  });

  test('a partition is read in order, from a place, and newest first', async () => {
    const { table } = database;
    const partition = newKey().pk;
    for (const sk of ['EVENT#1', 'EVENT#2', 'EVENT#3', 'META', 'OUTBOX'])
      await table.write({ put: { pk: partition, sk } });
    const keys = async (query: Omit<Parameters<typeof table.query>[0], 'partition' | 'limit'>) =>
      (await table.query({ partition, limit: 100, consistent: true, ...query })).rows.map((row) => row.sk);
    expect(await keys({})).toEqual(['EVENT#1', 'EVENT#2', 'EVENT#3', 'META', 'OUTBOX']);
    expect(await keys({ prefix: 'EVENT#' })).toEqual(['EVENT#1', 'EVENT#2', 'EVENT#3']);
    expect(await keys({ prefix: 'EVENT#', after: 'EVENT#1' })).toEqual(['EVENT#2', 'EVENT#3']);
    expect(await keys({ prefix: 'EVENT#', before: 'EVENT#3', newestFirst: true })).toEqual([
      'EVENT#2',
      'EVENT#1',
    ]);
    expect(await keys({ after: 'META' })).toEqual(['OUTBOX']);
    expect(await keys({ before: 'EVENT#2' })).toEqual(['EVENT#1']);
    expect(await table.query({ partition, limit: 2, consistent: true })).toMatchObject({ more: true });
  });

  test('due rows of a lane are found oldest first, up to a time', async () => {
    const { table } = database;
    const lane = newKey().pk;
    const row = (dueAt: number) => ({ ...newKey(), lane, dueAt });
    const [late, early, later] = [row(20), row(10), row(30)];
    for (const put of [late, early, later]) await table.write({ put });
    settle();
    const found = await table.due(lane, 20, 10);
    expect(found.map(({ dueAt }) => dueAt)).toEqual([10, 20]);
    await table.write({ update: early, remove: ['lane', 'dueAt'] });
    settle();
    expect(await table.due(lane, 20, 10)).toMatchObject([{ pk: late.pk, dueAt: 20 }]);
  });
});

test('at least one DynamoDB engine runs on this machine', () => {
  expect(dynamoEngines().length).toBeGreaterThan(0);
});
