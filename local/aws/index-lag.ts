import type { AwsCall, JsonAnswer, Layer, Next } from './front-door.ts';
import type { Random } from './random.ts';
import { type Item, indexEntry, pick, type RowChanges, rowId, type TableKeys } from './row-changes.ts';

type IndexLagSettings = {
  /** An index, and a read that is not consistent, show a write after a random time of up to so many ms. */
  maxMs: number;
  /** The same for indexes other than `due`: people list what they have just registered, and DynamoDB's usual lag is some ms. */
  listMaxMs: number;
  /** Share of reads without `ConsistentRead` that reach a copy which lags. */
  staleReads: number;
  /** Share of index reads that show a row under its old and its new key while it moves. */
  doubles: number;
};

/** An older state of a row, shown until a time (ms since epoch). */
type Past = {
  row: Item | undefined;
  key: Item;
  /** When the row left that state. */
  at: number;
  until: number;
};

/**
 * Lets reads lag behind writes as DynamoDB does. An index is updated after the write that changes it, so a query
 * of it may miss a row, find it under its old key, or find it twice. A read of the table that does not ask for
 * consistency may find a row as it was. Deleted rows do not come back in queries of the table.
 */
export function indexLag(
  changes: RowChanges,
  { maxMs, listMaxMs, staleReads, doubles }: IndexLagSettings,
  random: Random,
  now: () => number = Date.now,
): Layer {
  const pasts = new Map<string, Past[]>();

  /** The state in which a copy that lags shows the row, if that is not its present one. */
  function pastOf(id: string): Past | undefined {
    const left = (pasts.get(id) ?? []).filter(({ until }) => until > now());
    if (left.length > 0) pasts.set(id, left);
    else pasts.delete(id);
    return left[0];
  }

  async function write(call: AwsCall, next: Next): Promise<JsonAnswer> {
    const changed = await changes.of(call, next);
    const answer = await next(call);
    if (answer.status !== 200) return answer;
    for (const { table, key, before } of changed) {
      const id = rowId(table, key);
      const last = (pasts.get(id) ?? []).at(-1)?.until ?? 0;
      const until = Math.max(last, now() + random() * maxMs);
      pasts.set(id, [...(pasts.get(id) ?? []), { row: before, key, at: now(), until }]);
    }
    if (pasts.size > 10_000) for (const id of pasts.keys()) pastOf(id);
    return answer;
  }

  /** A lagging copy's state of the rows in an answer, which the table has as `items`. */
  function stale(table: string, keys: TableKeys, items: Item[]): Item[] {
    const shown = items.map((item) => {
      const past = pastOf(rowId(table, pick(item, keys.key)));
      return past ? past.row : item;
    });
    return shown.filter((item) => item !== undefined);
  }

  /** A count is that of the entries which a query would show. */
  async function countIndex(call: AwsCall, keys: TableKeys, next: Next): Promise<JsonAnswer> {
    const { Select, ...query } = call.body!;
    const answer = await queryIndex({ ...call, body: query }, keys, next);
    const { Items, ...counted } = answer.body;
    return { ...answer, body: counted };
  }

  async function queryIndex(call: AwsCall, keys: TableKeys, next: Next): Promise<JsonAnswer> {
    const answer = await next(call);
    const query = call.body as unknown as Query;
    const { Items, LastEvaluatedKey } = answer.body as { Items?: Item[]; LastEvaluatedKey?: Item };
    if (answer.status !== 200 || !Items) return answer;
    const moved = [...pasts.entries()]
      .filter(([id]) => id.startsWith(`${query.TableName} `))
      .flatMap(([id]) => pastOf(id) ?? [])
      .filter(({ at }) => query.IndexName === 'due' || now() < at + listMaxMs);
    if (moved.length === 0) return answer;

    const [, sort = ''] = keys.indexes[query.IndexName!]!;
    const direction = query.ScanIndexForward === false ? -1 : 1;
    const order = (a: Item, b: Item) => direction * compare(a[sort]!, b[sort]!);
    let shown = [...Items];
    for (const { row, key } of moved) {
      const id = rowId(query.TableName, key);
      const old = indexEntry(row, keys, query.IndexName!);
      const at = shown.findIndex((item) => rowId(query.TableName, pick(item, keys.key)) === id);
      if (old && at >= 0 && JSON.stringify(pick(old, [sort])) === JSON.stringify(pick(shown[at]!, [sort]))) {
        continue; // it did not move
      }
      const visible = old && matches(query, old) && onPage(old, query, LastEvaluatedKey, order);
      if (at >= 0 && !(visible && random() < doubles)) shown = shown.toSpliced(at, 1);
      if (visible && shown.length < (query.Limit ?? Number.POSITIVE_INFINITY)) shown = [...shown, old];
    }
    shown.sort(order);
    return {
      ...answer,
      body: { ...answer.body, Items: shown, Count: shown.length, ScannedCount: shown.length },
    };
  }

  return async (call, next) => {
    if (call.service !== 'dynamodb') return next(call);
    const { operation, body = {} } = call;
    const keys = changes.keysOf(body.TableName);
    if (operation === 'Query' && keys && body.IndexName) {
      return body.Select === 'COUNT' ? countIndex(call, keys, next) : queryIndex(call, keys, next);
    }
    if (operation === 'Query' && keys && body.ConsistentRead !== true && random() < staleReads) {
      const answer = await next(call);
      const { Items } = answer.body as { Items?: Item[] };
      if (!Items) return answer;
      const shown = stale(String(body.TableName), keys, Items);
      return { ...answer, body: { ...answer.body, Items: shown, Count: shown.length } };
    }
    if (operation === 'GetItem' && keys && body.ConsistentRead !== true && random() < staleReads) {
      const answer = await next(call);
      const past = pastOf(rowId(String(body.TableName), pick(body.Key as Item, keys.key)));
      if (!past || answer.status !== 200) return answer;
      return { ...answer, body: { ...answer.body, Item: past.row } };
    }
    if (operation === 'BatchGetItem' && random() < staleReads) {
      const answer = await next(call);
      const asked = body.RequestItems as Record<string, { ConsistentRead?: boolean }>;
      const responses = Object.entries((answer.body.Responses ?? {}) as Record<string, Item[]>);
      const shown = responses.map(([table, items]) => {
        const its = changes.keysOf(table);
        return [table, its && asked[table]?.ConsistentRead !== true ? stale(table, its, items) : items];
      });
      return { ...answer, body: { ...answer.body, Responses: Object.fromEntries(shown) } };
    }
    return write(call, next);
  };
}

type Query = {
  TableName: string;
  IndexName?: string;
  KeyConditionExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues: Item;
  ExclusiveStartKey?: Item;
  ScanIndexForward?: boolean;
  Limit?: number;
};

/** Whether an index entry satisfies the key condition. Throws for a condition of another form. */
function matches(query: Query, entry: Item): boolean {
  const value = (token: string) => query.ExpressionAttributeValues[token]!;
  const attribute = (token: string) => entry[query.ExpressionAttributeNames?.[token] ?? token]!;
  return query.KeyConditionExpression.replace(/BETWEEN\s+(:\w+)\s+AND\s+(:\w+)/gi, 'BETWEEN $1 $2')
    .split(/\s+AND\s+/i)
    .every((clause) => {
      const [, name, low, high] = /^\s*([#\w]+)\s+BETWEEN\s+(:\w+)\s+(:\w+)\s*$/i.exec(clause) ?? [];
      if (name && low && high) {
        const held = attribute(name);
        return compare(held, value(low)) >= 0 && compare(held, value(high)) <= 0;
      }
      const [, prefixed, prefix] =
        /^\s*begins_with\s*\(\s*([#\w]+)\s*,\s*(:\w+)\s*\)\s*$/i.exec(clause) ?? [];
      if (prefixed && prefix) return scalar(attribute(prefixed)).startsWith(scalar(value(prefix)));
      const [, left, operator, right] = /^\s*([#\w]+)\s*(=|<=|>=|<|>)\s*(:\w+)\s*$/.exec(clause) ?? [];
      if (!left || !operator || !right)
        throw new Error(`The index lag cannot read the condition "${clause}".`);
      const order = compare(attribute(left), value(right));
      return operator === '='
        ? order === 0
        : operator.startsWith('<')
          ? order < 0 || (order === 0 && operator === '<=')
          : order > 0 || (order === 0 && operator === '>=');
    });
}

/** Whether an entry lies between the end of the last page and the end of this one. */
function onPage(
  entry: Item,
  { ExclusiveStartKey }: Query,
  last: Item | undefined,
  order: (a: Item, b: Item) => number,
): boolean {
  return (!ExclusiveStartKey || order(entry, ExclusiveStartKey) > 0) && (!last || order(entry, last) <= 0);
}

const scalar = (value: Record<string, unknown>): string => String(Object.values(value)[0]);

function compare(a: Record<string, unknown>, b: Record<string, unknown>): number {
  if ('N' in a) return Number(a.N) - Number(b.N);
  return Buffer.compare(Buffer.from(scalar(a)), Buffer.from(scalar(b)));
}
