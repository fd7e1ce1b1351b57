import type { AwsCall, JsonAnswer, Next } from './front-door.ts';

/** An item, or a key, in DynamoDB's JSON: `{pk: {S: 'a'}}`. */
export type Item = Record<string, Record<string, unknown>>;

/** The keys of a table and of its indexes, by index name: the names of partition key and sort key. */
export type TableKeys = {
  key: string[];
  indexes: Record<string, string[]>;
};

/** One row that a call writes. */
export type RowChange = {
  /** Its place among the items of a transaction; the place among the writes otherwise. */
  place: number;
  table: string;
  keys: TableKeys;
  key: Item;
  /** The row before the call; undefined when there was none. */
  before: Item | undefined;
  /** The row as far as its keys go after the call; undefined when the call deletes it. */
  after: Item | undefined;
};

type Write = {
  place: number;
  TableName: string;
  Item?: Item;
  Key?: Item;
  UpdateExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
};

/** Tells which rows a DynamoDB call writes, with the rows as they are before it. */
export class RowChanges {
  private readonly tables: Map<string, TableKeys>;
  private readonly known = new WeakMap<AwsCall, Promise<RowChange[]>>();

  constructor(tables: Map<string, TableKeys>) {
    this.tables = tables;
  }

  keysOf(table: unknown): TableKeys | undefined {
    return this.tables.get(String(table));
  }

  /** The rows that the call is about to write, each read once; none for a call that writes nothing. */
  of(call: AwsCall, next: Next): Promise<RowChange[]> {
    const known = this.known.get(call) ?? this.read(call, next);
    this.known.set(call, known);
    return known;
  }

  private async read(call: AwsCall, next: Next): Promise<RowChange[]> {
    const writes = writesOf(call).filter(({ TableName }) => this.tables.has(TableName));
    if (writes.length === 0) return [];
    const keyed = writes.map((write) => {
      const keys = this.tables.get(write.TableName)!;
      return { write, keys, key: pick(write.Key ?? write.Item ?? {}, keys.key) };
    });
    const before = await readRows(call, keyed, next);
    return keyed.map(({ write, keys, key }) => {
      const old = before.get(rowId(write.TableName, key));
      return {
        place: write.place,
        table: write.TableName,
        keys,
        key,
        before: old,
        after: afterOf(write, keys, key, old),
      };
    });
  }
}

/** Names a row across tables. */
export function rowId(table: string, key: Item): string {
  return `${table} ${JSON.stringify(key)}`;
}

export function pick(item: Item, names: readonly string[]): Item {
  return Object.fromEntries(names.filter((name) => name in item).map((name) => [name, item[name]!]));
}

/** The entry of a row in an index that holds keys only; undefined when the row is not in it. */
export function indexEntry(row: Item | undefined, keys: TableKeys, index: string): Item | undefined {
  const names = keys.indexes[index] ?? [];
  if (!row || !names.every((name) => name in row)) return undefined;
  return pick(row, [...new Set([...names, ...keys.key])]);
}

function writesOf({ service, operation, body = {} }: AwsCall): Write[] {
  if (service !== 'dynamodb') return [];
  if (operation === 'PutItem' || operation === 'UpdateItem' || operation === 'DeleteItem') {
    return [{ ...(body as unknown as Write), place: 0 }];
  }
  if (operation === 'TransactWriteItems') {
    const items = body.TransactItems as { Put?: Write; Update?: Write; Delete?: Write }[];
    return items.flatMap(({ Put, Update, Delete }, place) => {
      const write = Put ?? Update ?? Delete;
      return write ? { ...write, place } : [];
    });
  }
  if (operation === 'BatchWriteItem') {
    type Request = { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } };
    return Object.entries(body.RequestItems as Record<string, Request[]>).flatMap(([TableName, requests]) =>
      requests.map(({ PutRequest, DeleteRequest }, place) => ({
        place,
        TableName,
        ...PutRequest,
        ...DeleteRequest,
      })),
    );
  }
  return [];
}

async function readRows(
  call: AwsCall,
  rows: { write: Write; key: Item }[],
  next: Next,
): Promise<Map<string, Item>> {
  const found = new Map<string, Item>();
  for (let from = 0; from < rows.length; from += 100) {
    const RequestItems: Record<string, { Keys: Item[]; ConsistentRead: true }> = {};
    for (const { write, key } of rows.slice(from, from + 100)) {
      RequestItems[write.TableName] ??= { Keys: [], ConsistentRead: true };
      RequestItems[write.TableName]!.Keys.push(key);
    }
    const answer: JsonAnswer = await next({ ...call, operation: 'BatchGetItem', body: { RequestItems } });
    const responses = (answer.body.Responses ?? {}) as Record<string, Item[]>;
    for (const [table, items] of Object.entries(responses)) {
      for (const { write, key } of rows.filter((row) => row.write.TableName === table)) {
        const names = Object.keys(key);
        const item = items.find((each) => JSON.stringify(pick(each, names)) === JSON.stringify(key));
        if (item) found.set(rowId(write.TableName, key), item);
      }
    }
  }
  return found;
}

/** What the write makes of the row, as far as index keys go: those that are set to a value or removed. */
function afterOf(write: Write, keys: TableKeys, key: Item, before: Item | undefined): Item | undefined {
  if (write.Item) return write.Item;
  if (write.UpdateExpression === undefined) return undefined;
  const after: Item = { ...before, ...key };
  const name = (token: string) => write.ExpressionAttributeNames?.[token] ?? token;
  for (const [, attribute = '', value = ''] of write.UpdateExpression.matchAll(/([#\w]+)\s*=\s*(:\w+)/g)) {
    after[name(attribute)] = write.ExpressionAttributeValues?.[value] ?? {};
  }
  const removed =
    /\bREMOVE\s+([^:=]*?)(?=\s+(?:SET|ADD|DELETE)\b|$)/i.exec(write.UpdateExpression)?.[1] ?? '';
  const indexed = new Set(Object.values(keys.indexes).flat());
  for (const attribute of removed.split(',').map((token) => name(token.trim()))) {
    if (indexed.has(attribute)) delete after[attribute];
  }
  return after;
}
