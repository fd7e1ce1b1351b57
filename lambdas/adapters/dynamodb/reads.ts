import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  type KeysAndAttributes,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { backoff } from '../../domain/backoff.ts';
import { chunks } from '../../domain/chunks.ts';
import { TABLE_SCHEMA, type TableIndex } from '../../domain/table-schema.ts';
import type { Hint, RowKey } from '../../domain/work.ts';
import { type Item, itemOf, keyItem, rowOf } from './item.ts';

export type Page<T> = { rows: T[]; more: boolean };

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

/** Keys that one batch read takes, and batch reads at a time. */
const KEYS_PER_READ = 100;
const READS_AT_ONCE = 8;
/** The longest waits before a batch read asks for what was left out. */
const UNPROCESSED_WAITS = { firstMs: 100, longestMs: 5_000 };

/** Reads of the one table. A batch read asks again for the keys that DynamoDB left out. */
export function createReads(client: DynamoDBClient, tableName: string, random: () => number) {
  /** The row, read consistently unless said otherwise; undefined when there is none. */
  async function get<T extends RowKey>(key: RowKey, consistent = true): Promise<T | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: keyItem(key), ConsistentRead: consistent }),
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
    const different = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
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
    let wanted = batch.map(keyItem);
    for (let attempt = 1; ; attempt++) {
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetItemCommand({
          RequestItems: { [tableName]: { ...how, Keys: wanted } },
        }),
      );
      for (const item of Responses?.[tableName] ?? []) rows.push(rowOf<T>(item));
      wanted = UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (wanted.length === 0) return rows;
      // DynamoDB leaves out what a partition had no units for, and the SDK takes that for a success.
      await sleep(random() * backoff(attempt, UNPROCESSED_WAITS));
    }
  }

  /**
   * One page of a partition, or of an index's. `more` says that rows may be left; go on from the
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
    query: PageQuery,
    from?: Item,
  ): Promise<{ rows: T[]; next?: Item | undefined }> {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: query.index,
        ...keyCondition(query),
        ScanIndexForward: !query.newestFirst,
        Limit: query.limit,
        ExclusiveStartKey: from,
        ConsistentRead: query.index ? undefined : (query.consistent ?? false),
      }),
    );
    const { sort } = keyNames(query);
    const rows = Items.map((item) => rowOf<T>(item)).filter((row) => {
      const at = (row as Record<string, unknown>)[sort];
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

  /** How many rows of a lane were due at or before `upTo`, by default all; counted up to `most`, since counting reads. */
  async function countDue(lane: string, most: number, upTo?: number): Promise<number> {
    let count = 0;
    let next: Item | undefined;
    do {
      const { Count = 0, LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: 'due' satisfies TableIndex,
          ...keyCondition({ index: 'due', partition: lane, ...(upTo === undefined ? {} : { upTo }) }),
          Select: 'COUNT',
          Limit: most - count,
          ExclusiveStartKey: next,
        }),
      );
      count += Count;
      next = LastEvaluatedKey;
    } while (next && count < most);
    return count;
  }

  return { get, getMany, query, queryAll, due, countDue };
}

type PageQuery = Omit<RowQuery, 'limit'> & { limit?: number };

const keyNames = ({ index }: PageQuery) => (index ? TABLE_SCHEMA.indexes[index] : TABLE_SCHEMA.key);

/**
 * The partition, and the range of the sort key. Both bounds may be among the rows: DynamoDB takes one
 * comparison of the sort key, so an inclusive BETWEEN stands for two.
 */
function keyCondition(query: PageQuery) {
  const { partition, sort } = keyNames(query);
  const { clause, ...bounds } = rangeOf(query) ?? {};
  return {
    KeyConditionExpression: ['#pk = :pk', ...(clause ? [clause] : [])].join(' AND '),
    ExpressionAttributeNames: { '#pk': partition, ...(clause ? { '#sk': sort } : {}) },
    ExpressionAttributeValues: itemOf({ ':pk': query.partition, ...bounds }),
  };
}

type Range = {
  readonly clause: string;
  readonly ':low'?: string | number;
  readonly ':high'?: string | number;
};

function rangeOf({ after, before, upTo, prefix }: PageQuery): Range | undefined {
  if (after === undefined && before === undefined && prefix !== undefined)
    return { clause: 'begins_with(#sk, :low)', ':low': prefix };
  const low = after ?? prefix;
  const high = before ?? upTo ?? (prefix === undefined ? undefined : `${prefix}\uffff`);
  if (low !== undefined && high !== undefined)
    return { clause: '#sk BETWEEN :low AND :high', ':low': low, ':high': high };
  if (low !== undefined) return { clause: '#sk > :low', ':low': low };
  if (high === undefined) return undefined;
  return { clause: upTo === undefined ? '#sk < :high' : '#sk <= :high', ':high': high };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const nameOf = ({ pk, sk }: RowKey): string => `${pk}\n${sk}`;
