import { arn } from '../runtime/resource-types.ts';
import type { AwsCall, JsonAnswer, Layer } from './front-door.ts';
import { type Item, indexEntry, pick, type RowChange, type RowChanges } from './row-changes.ts';
import { awsError } from './stubs.ts';

type ThrottlingSettings = {
  /** Write and read units a second that one partition key of a table or an index takes. */
  writeUnits: number;
  readUnits: number;
};

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

/** Refuses calls beyond what one partition key takes in a second, as DynamoDB does on demand as well. */
export function throttling(
  changes: RowChanges,
  { writeUnits, readUnits }: ThrottlingSettings,
  now: () => number = Date.now,
): Layer {
  let second = 0;
  let used = new Map<string, number>();

  /** Takes units of each partition, or none of any; returns the partition that has too few left. */
  function take(demand: Map<string, number>, limit: number): string | undefined {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      used = new Map();
    }
    for (const [partition, units] of demand) {
      const before = used.get(partition) ?? 0;
      if (before > 0 && before + units > limit) return partition;
    }
    for (const [partition, units] of demand) used.set(partition, (used.get(partition) ?? 0) + units);
    return undefined;
  }

  return async (call, next) => {
    if (call.service !== 'dynamodb') return next(call);
    const changed = await changes.of(call, next);
    const full = take(writeDemand(call, changed), writeUnits);
    if (full) return refuse(call, full, 'Write');
    const answer = await next(call);
    const hot = take(readDemand(call, answer, changes), readUnits);
    return hot ? refuse(call, hot, 'Read') : answer;
  };
}

function writeDemand(call: AwsCall, changed: RowChange[]): Map<string, number> {
  const demand = new Map<string, number>();
  const add = (partition: string, units: number) =>
    demand.set(partition, (demand.get(partition) ?? 0) + units);
  const factor = call.operation === 'TransactWriteItems' ? 2 : 1;
  for (const { table, keys, key, before, after } of changed) {
    const units = Math.max(unitsOf(before, WRITE_UNIT_BYTES), unitsOf(after, WRITE_UNIT_BYTES), 1);
    add(partitionName(table, undefined, key[keys.key[0]!]), factor * units);
    for (const [index, names] of Object.entries(keys.indexes)) {
      const [old, entry] = [indexEntry(before, keys, index), indexEntry(after, keys, index)];
      if (JSON.stringify(old && pick(old, names)) === JSON.stringify(entry && pick(entry, names))) continue;
      // A row that moves is deleted at one place and put at another.
      if (old) add(partitionName(table, index, old[names[0]!]), 1);
      if (entry) add(partitionName(table, index, entry[names[0]!]), 1);
    }
  }
  return demand;
}

function readDemand(
  { operation, body = {} }: AwsCall,
  answer: JsonAnswer,
  changes: RowChanges,
): Map<string, number> {
  const keys = changes.keysOf(body.TableName);
  const { Items } = answer.body as { Items?: Item[] };
  if (operation !== 'Query' || !keys || !Items?.[0]) return new Map();
  const index = body.IndexName ? String(body.IndexName) : undefined;
  const [partition = ''] = index ? keys.indexes[index]! : keys.key;
  const bytes = Items.reduce((sum, item) => sum + JSON.stringify(item).length, 0);
  const units = Math.max(0.5, Math.ceil(bytes / READ_UNIT_BYTES) * (body.ConsistentRead ? 1 : 0.5));
  return new Map([[partitionName(String(body.TableName), index, Items[0][partition]), units]]);
}

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
