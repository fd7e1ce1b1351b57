import { arn } from '../runtime/resource-types.ts';
import type { AwsCall, JsonAnswer, Layer, Next } from './front-door.ts';
import { type Item, indexEntry, pick, type RowChange, type RowChanges } from './row-changes.ts';
import { awsError } from './stubs.ts';

type ThrottlingSettings = {
  /** Write and read units a second that one partition key of a table or an index takes. */
  writeUnits: number;
  readUnits: number;
};

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

/**
 * Refuses calls beyond what one partition key takes in a second, as DynamoDB does on demand as well. A batch read
 * leaves out the rows for which no units are left, and is refused when there are none for any.
 */
export function throttling(
  changes: RowChanges,
  { writeUnits, readUnits }: ThrottlingSettings,
  now: () => number = Date.now,
): Layer {
  const { take, release } = createCapacity(now);

  async function write(call: AwsCall, changed: RowChange[], next: Next): Promise<JsonAnswer> {
    const [table, index] = [tableDemand(call, changed), indexDemand(changed)];
    const full = take(new Map([...table, ...index]), writeUnits);
    if (full) return refuse(call, full, 'Write');
    const answer = await next(call);
    // A write that its condition forbids is billed to the table, and changes no index.
    if (answer.status !== 200) release(index, writeUnits);
    return answer;
  }

  function readBatch(call: AwsCall, answer: JsonAnswer): JsonAnswer {
    const { Responses = {} } = answer.body as { Responses?: Record<string, Item[]> };
    const unprocessed: Record<string, BatchOfTable> = {};
    let full: string | undefined;
    for (const [table, asked] of Object.entries((call.body?.RequestItems ?? {}) as typeof unprocessed)) {
      const key = changes.keysOf(table)?.key;
      if (!key) continue;
      const left = asked.Keys.filter((each) => {
        const item = Responses[table]?.find((found) => sameKey(found, each, key));
        const demand = readUnitsOf(item ? [item] : [], asked.ConsistentRead);
        const refused = take(new Map([[partitionName(table, undefined, each[key[0]!]), demand]]), readUnits);
        full ??= refused;
        return refused !== undefined;
      });
      if (left.length === 0) continue;
      unprocessed[table] = { ...asked, Keys: left };
      Responses[table] = (Responses[table] ?? []).filter(
        (item) => !left.some((each) => sameKey(item, each, key)),
      );
    }
    if (!full) return answer;
    const nothing = Object.values(Responses).every((items) => items.length === 0);
    if (nothing) return refuse(call, full, 'Read');
    return { ...answer, body: { ...answer.body, Responses, UnprocessedKeys: unprocessed } };
  }

  return async (call, next) => {
    if (call.service !== 'dynamodb') return next(call);
    const changed = await changes.of(call, next);
    if (changed.length > 0) return write(call, changed, next);
    const answer = await next(call);
    if (answer.status !== 200) return answer;
    if (call.operation === 'BatchGetItem') return readBatch(call, answer);
    const full = take(readDemand(call, answer, changes), readUnits);
    return full ? refuse(call, full, 'Read') : answer;
  };
}

type BatchOfTable = { Keys: Item[]; ConsistentRead?: boolean };
/** Units by partition. */
type Demand = Map<string, number>;

/** Sums of shares are not exact. */
const FULL = 1 + 1e-9;

/**
 * What each partition has left of a second, which reads and writes share. A single call may exceed it: its rows may
 * be large.
 */
function createCapacity(now: () => number) {
  let second = 0;
  /** Share of the second by partition. */
  let used: Demand = new Map();

  /** Takes units of each partition, or none of any; returns the partition that has too few left. */
  function take(demand: Demand, unitsPerSecond: number): string | undefined {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      used = new Map();
    }
    for (const [partition, units] of demand) {
      const before = used.get(partition) ?? 0;
      if (before > 0 && before + units / unitsPerSecond > FULL) return partition;
    }
    for (const [partition, units] of demand) add(used, partition, units / unitsPerSecond);
    return undefined;
  }

  function release(demand: Demand, unitsPerSecond: number): void {
    for (const [partition, units] of demand) {
      used.set(partition, Math.max(0, (used.get(partition) ?? 0) - units / unitsPerSecond));
    }
  }

  return { take, release };
}

function tableDemand({ operation }: AwsCall, changed: RowChange[]): Demand {
  const demand: Demand = new Map();
  const factor = operation === 'TransactWriteItems' ? 2 : 1;
  for (const { table, keys, key, before, after } of changed) {
    const units = Math.max(unitsOf(before, WRITE_UNIT_BYTES), unitsOf(after, WRITE_UNIT_BYTES), 1);
    add(demand, partitionName(table, undefined, key[keys.key[0]!]), factor * units);
  }
  return demand;
}

function indexDemand(changed: RowChange[]): Demand {
  const demand: Demand = new Map();
  for (const { table, keys, before, after } of changed) {
    for (const [index, names] of Object.entries(keys.indexes)) {
      const [old, entry] = [indexEntry(before, keys, index), indexEntry(after, keys, index)];
      if (JSON.stringify(old && pick(old, names)) === JSON.stringify(entry && pick(entry, names))) continue;
      // A row that moves is deleted at one place and put at another.
      if (old) add(demand, partitionName(table, index, old[names[0]!]), 1);
      if (entry) add(demand, partitionName(table, index, entry[names[0]!]), 1);
    }
  }
  return demand;
}

function readDemand({ operation, body = {} }: AwsCall, answer: JsonAnswer, changes: RowChanges): Demand {
  const keys = changes.keysOf(body.TableName);
  if (!keys || (operation !== 'Query' && operation !== 'GetItem')) return new Map();
  const { Item, Items = Item ? [Item] : [] } = answer.body as { Item?: Item; Items?: Item[] };
  const index = body.IndexName ? String(body.IndexName) : undefined;
  const [partition = ''] = index ? keys.indexes[index]! : keys.key;
  const value = operation === 'GetItem' ? (body.Key as Item)[partition] : Items[0]?.[partition];
  if (value === undefined) return new Map();
  const name = partitionName(String(body.TableName), index, value);
  return new Map([[name, readUnitsOf(Items, body.ConsistentRead === true)]]);
}

function readUnitsOf(items: readonly Item[], consistent = false): number {
  const bytes = items.reduce((sum, item) => sum + JSON.stringify(item).length, 0);
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (consistent ? 1 : 0.5);
}

function add(demand: Demand, partition: string, units: number): void {
  demand.set(partition, (demand.get(partition) ?? 0) + units);
}

const sameKey = (item: Item, key: Item, names: readonly string[]): boolean =>
  JSON.stringify(pick(item, names)) === JSON.stringify(pick(key, names));

const unitsOf = (item: Item | undefined, bytes: number): number =>
  item ? Math.ceil(JSON.stringify(item).length / bytes) : 0;

const partitionName = (table: string, index: string | undefined, value: unknown): string =>
  `${table}${index ? `/index/${index}` : ''} ${JSON.stringify(value)}`;

function refuse({ operation }: AwsCall, partition: string, kind: 'Read' | 'Write'): JsonAnswer {
  const [resource = ''] = partition.split(' ');
  const reason = `${resource.includes('/') ? 'Index' : 'Table'}${kind}KeyRangeThroughputExceeded`;
  const message = `Throughput exceeds the limit of a partition: ${reason}`;
  const reasons = [{ reason, resource: arn('dynamodb', `table/${resource}`) }];
  if (operation !== 'TransactWriteItems') {
    const { status, body } = awsError(400, 'ThrottlingException', message);
    return { status, body: { ...body, throttlingReasons: reasons } };
  }
  const { status, body } = awsError(400, 'TransactionCanceledException', `Transaction cancelled: ${message}`);
  return { status, body: { ...body, CancellationReasons: [{ Code: 'ThrottlingError', Message: message }] } };
}
