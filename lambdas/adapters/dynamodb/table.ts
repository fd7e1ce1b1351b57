import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  type KeysAndAttributes,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactionConflictException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { backoff } from '../../domain/backoff.ts';
import { chunks } from '../../domain/chunks.ts';
import { TABLE_SCHEMA, type TableIndex } from '../../domain/table-schema.ts';
import type { Hint, RowKey } from '../../domain/work.ts';
import { type Condition, expressions, type Write } from './expression.ts';

/** A condition of a write did not hold: another writer was first. Never retried unchanged. */
export class ConditionFailed extends Error {
  override readonly name = 'ConditionFailed';
  /** The places in the transaction whose conditions failed; `[0]` for a single write. */
  readonly failed: readonly number[];
  /** The rows as they are, where DynamoDB returned them, by place. */
  readonly rows: ReadonlyMap<number, Row>;

  constructor(failed: readonly number[], rows: ReadonlyMap<number, Row>) {
    super(`a conditional write was refused (clause ${failed.join(', ')})`);
    this.failed = failed;
    this.rows = rows;
  }
}

type Item = Record<string, AttributeValue>;
export type Row = RowKey & Record<string, unknown>;
export type Page<T> = { rows: T[]; more: boolean };
export type Table = ReturnType<typeof createTable>;

export type RowQuery = {
  index?: TableIndex;
  partition: string;
  /** Bounds of the sort key: exclusive `after` and `before`, or a `prefix`. */
  after?: string | number;
  before?: string | number;
  upTo?: string | number;
  prefix?: string;
  newestFirst?: boolean;
  limit: number;
  consistent?: boolean;
};

const CONFLICT_TRIES = 8;
/** Stands in for the condition of a write that neither changes nor demands anything, so that it keeps its place. */
const HOLDS_ALWAYS = 'attribute_exists(pk) OR attribute_not_exists(pk)';
/** Writes that one transaction takes. */
export const MAX_WRITES = 100;
/** Keys that one batch read takes, and batch reads at a time. */
const KEYS_PER_READ = 100;
const READS_AT_ONCE = 8;

const MARSHALL = {
  removeUndefinedValues: true,
  // A map whose keys come from outside may have one named "constructor", by which the SDK takes it for an instance.
  convertClassInstanceToMap: true,
};

/** Why a transaction was canceled, when the table takes no more at the moment. */
const THROTTLED = ['ThrottlingError', 'ProvisionedThroughputExceeded'];
/** The longest waits before a call is sent again. */
const WAITS = {
  unprocessed: { firstMs: 100, longestMs: 5_000 },
  conflict: { firstMs: 50, longestMs: 20_000 },
  throttled: { firstMs: 1_000, longestMs: 20_000 },
};

/**
 * The one table, over a real client: reads, single writes and transactions of {@link Write}s.
 * A refused condition becomes {@link ConditionFailed}. Retries what the SDK does not: a write that conflicts with
 * a transaction, a throttled transaction, and the keys that a batch read left out. Other errors are thrown unchanged.
 */
export function createTable(client: DynamoDBClient, tableName: string, random: () => number = Math.random) {
  /** The row, read consistently unless said otherwise; undefined when there is none. */
  async function get<T extends RowKey>(key: RowKey, consistent = true): Promise<T | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: itemOf(keyOf(key)), ConsistentRead: consistent }),
    );
    return Item && rowOf<T>(Item);
  }

  /**
   * Each of the rows in its place, undefined where there is none. DynamoDB refuses a batch that names a row twice, as
   * `keys` may.
   *
   * @param options.attributes of the rows, `pk` and `sk` included; by default all
   */
  async function getMany<T extends RowKey>(
    keys: readonly RowKey[],
    { consistent = true, attributes }: { consistent?: boolean; attributes?: readonly string[] } = {},
  ): Promise<(T | undefined)[]> {
    const projection = attributes && {
      ProjectionExpression: attributes.map((_, i) => `#${i}`).join(', '),
      ExpressionAttributeNames: Object.fromEntries(attributes.map((name, i) => [`#${i}`, name])),
    };
    const how = { ...projection, ConsistentRead: consistent };
    const different = [...new Map(keys.map((key) => [nameOf(key), keyOf(key)])).values()];
    const rows = new Map<string, T>();
    for (const batches of chunks(chunks(different, KEYS_PER_READ), READS_AT_ONCE)) {
      const read = await Promise.all(batches.map((batch) => readBatch<T>(batch, how)));
      for (const row of read.flat()) rows.set(nameOf(row), row);
    }
    return keys.map((key) => rows.get(nameOf(key)));
  }

  async function readBatch<T extends RowKey>(
    batch: readonly RowKey[],
    how: Omit<KeysAndAttributes, 'Keys'>,
  ): Promise<T[]> {
    const rows: T[] = [];
    let wanted = batch.map(itemOf);
    for (let attempt = 1; ; attempt++) {
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetItemCommand({
          RequestItems: { [tableName]: { ...how, Keys: wanted } },
        }),
      );
      for (const item of Responses?.[tableName] ?? []) rows.push(rowOf<T>(item));
      wanted = UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (wanted.length === 0) return rows;
      // What a partition had no units for is left out of the answer, which the SDK takes for a success.
      await sleep(random() * backoff(attempt, WAITS.unprocessed));
    }
  }

  /**
   * Applies one write and returns the row as it is afterwards; undefined after a delete or put, or when the
   * caller wants nothing, which spares reading the answer.
   */
  async function write<T extends RowKey>(
    change: Write,
    wanted: 'row' | 'nothing' = 'row',
  ): Promise<T | undefined> {
    if ('check' in change) throw new Error('a check stands only in a transaction');
    // DynamoDB refuses an update with an empty expression.
    if ('update' in change && expressions(change).UpdateExpression === undefined) {
      await transact([change]);
      return get<T>(change.update);
    }
    const common = {
      TableName: tableName,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
      ...expressionsOf(change),
    };
    return patiently(async () => {
      if ('put' in change) {
        await client.send(new PutItemCommand({ ...common, Item: itemOf(change.put) }));
        return undefined;
      }
      if ('delete' in change) {
        await client.send(new DeleteItemCommand({ ...common, Key: itemOf(keyOf(change.delete)) }));
        return undefined;
      }
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          ...common,
          Key: itemOf(keyOf(change.update)),
          ReturnValues: wanted === 'row' ? 'ALL_NEW' : 'NONE',
        }),
      );
      return Attributes && rowOf<T>(Attributes);
    });
  }

  /** Applies all writes or none; at most {@link MAX_WRITES}. */
  async function transact(changes: readonly Write[]): Promise<void> {
    const items = changes.map((change): TransactWriteItem => {
      const common = {
        TableName: tableName,
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
        ...expressionsOf(change),
      };
      if ('put' in change) return { Put: { ...common, Item: itemOf(change.put) } };
      if ('delete' in change) return { Delete: { ...common, Key: itemOf(keyOf(change.delete)) } };
      const Key = itemOf(keyOf('check' in change ? change.check : change.update));
      const { UpdateExpression, ...rest } = common;
      if (UpdateExpression !== undefined) return { Update: { ...rest, UpdateExpression, Key } };
      return { ConditionCheck: { ConditionExpression: HOLDS_ALWAYS, ...rest, Key } };
    });
    await patiently(() => client.send(new TransactWriteItemsCommand({ TransactItems: items })));
  }

  /**
   * Sends a write, again while transactions of others are in its way, and again as often as the client itself tries
   * when a transaction was throttled: the SDK tries those once.
   */
  async function patiently<R>(send: () => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        const refused = refusal(error);
        if (refused) throw refused;
        const passing = passingCause(error);
        const tries = passing === 'throttled' ? await client.config.maxAttempts() : CONFLICT_TRIES;
        if (!passing || attempt >= tries) throw error;
        await sleep(random() * backoff(attempt, WAITS[passing]));
      }
    }
  }

  /**
   * One page of a partition, or of an index's. `more` tells that rows may be left; go on from the
   * last row's sort key.
   */
  async function query<T extends RowKey>(query: RowQuery): Promise<Page<T>> {
    const { rows, next } = await page<T>(query);
    return { rows, more: next !== undefined };
  }

  /** All rows of a partition, or of a range of it, in as many pages as that takes. */
  async function queryAll<T extends RowKey>(query: Omit<RowQuery, 'limit'>): Promise<T[]> {
    const found: T[] = [];
    let next: Item | undefined;
    do {
      const some = await page<T>(query, next);
      found.push(...some.rows);
      next = some.next;
    } while (next);
    return found;
  }

  /** One page, at most 1 MB, and from where to read the next. */
  async function page<T extends RowKey>(
    query: Omit<RowQuery, 'limit'> & { limit?: number },
    from?: Item,
  ): Promise<{ rows: T[]; next?: Item | undefined }> {
    const { partition: pk, sort: sk } = query.index ? TABLE_SCHEMA.indexes[query.index] : TABLE_SCHEMA.key;
    const clauses = ['#pk = :pk'];
    const values: Record<string, unknown> = { ':pk': query.partition };
    if (query.prefix !== undefined && query.after === undefined && query.before === undefined) {
      clauses.push('begins_with(#sk, :prefix)');
      values[':prefix'] = query.prefix;
    } else if (query.after !== undefined || query.before !== undefined || query.upTo !== undefined) {
      // A key condition takes one comparison of the sort key, so an inclusive BETWEEN stands for two.
      const low = query.after ?? query.prefix;
      const high =
        query.before ?? query.upTo ?? (query.prefix === undefined ? undefined : `${query.prefix}\uffff`);
      if (low !== undefined && high !== undefined) {
        clauses.push('#sk BETWEEN :low AND :high');
        values[':low'] = low;
        values[':high'] = high;
      } else if (low !== undefined) {
        clauses.push('#sk > :low');
        values[':low'] = low;
      } else {
        clauses.push(query.upTo === undefined ? '#sk < :high' : '#sk <= :high');
        values[':high'] = high;
      }
    }
    const usesSortKey = clauses.length > 1;
    const { Items, LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: query.index,
        KeyConditionExpression: clauses.join(' AND '),
        ExpressionAttributeNames: usesSortKey ? { '#pk': pk, '#sk': sk } : { '#pk': pk },
        ExpressionAttributeValues: itemOf(values),
        ScanIndexForward: !query.newestFirst,
        Limit: query.limit,
        ExclusiveStartKey: from,
        ConsistentRead: query.index ? undefined : (query.consistent ?? false),
      }),
    );
    const rows = (Items ?? [])
      .map((item) => rowOf<T>(item))
      .filter((row) => {
        const at = (row as Record<string, unknown>)[sk];
        return at !== query.after && at !== query.before;
      });
    return { rows, next: LastEvaluatedKey };
  }

  /** Rows of a lane that were due at or before `upTo`, oldest first, then by key; `limit` of them, in as many pages as that takes. */
  async function due(lane: string, upTo: number, limit: number): Promise<Hint[]> {
    const found: Hint[] = [];
    let next: Item | undefined;
    do {
      const some = await page<Hint>(
        { index: 'due', partition: lane, upTo, limit: limit - found.length },
        next,
      );
      for (const { pk, sk, dueAt } of some.rows) found.push({ pk, sk, dueAt });
      next = some.next;
    } while (next && found.length < limit);
    // An index has no order for rows that are due at the same time.
    return found.sort((a, b) => a.dueAt - b.dueAt || compare(a.pk, b.pk) || compare(a.sk, b.sk));
  }

  return { get, getMany, write, transact, query, queryAll, due };
}

/** The conditions that did not hold, if that is why the write failed. */
function refusal(error: unknown): ConditionFailed | undefined {
  if (error instanceof ConditionalCheckFailedException) return failedAt([[0, error.Item]]);
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const failed = (error.CancellationReasons ?? []).flatMap(
    ({ Code, Item }, i): [number, Item | undefined][] =>
      Code === 'ConditionalCheckFailed' ? [[i, Item]] : [],
  );
  return failed.length > 0 ? failedAt(failed) : undefined;
}

function failedAt(places: readonly (readonly [number, Item | undefined])[]): ConditionFailed {
  const rows = places.flatMap(([i, item]): [number, Row][] => (item ? [[i, rowOf<Row>(item)]] : []));
  return new ConditionFailed(
    places.map(([i]) => i),
    new Map(rows),
  );
}

/** Why a write failed that may come through when it is sent again. */
function passingCause(error: unknown): 'conflict' | 'throttled' | undefined {
  if (error instanceof TransactionConflictException) return 'conflict';
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const codes = (error.CancellationReasons ?? []).map(({ Code = '' }) => Code);
  if (codes.some((code) => THROTTLED.includes(code))) return 'throttled';
  return codes.includes('TransactionConflict') ? 'conflict' : undefined;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const keyOf = ({ pk, sk }: RowKey): RowKey => ({ pk, sk });
const nameOf = ({ pk, sk }: RowKey): string => `${pk}\n${sk}`;

const itemOf = (values: Readonly<Record<string, unknown>>): Item => marshall(values, MARSHALL);

const rowOf = <T>(item: Item): T => unmarshall(item) as T;

/** The expressions of a write as DynamoDB takes them. */
function expressionsOf(change: Write) {
  const { ExpressionAttributeValues: values, ...rest } = expressions(change);
  return values ? { ...rest, ExpressionAttributeValues: itemOf(values) } : rest;
}

export type { Condition, Write };
