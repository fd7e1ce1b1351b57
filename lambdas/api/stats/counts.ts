import { type DynamoDBClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { Table } from '../../adapters/dynamodb/table.ts';
import { PARKED } from '../../domain/work.ts';

/** A count that stops at a bound, since counting reads what it counts. */
export type BoundedCount = { readonly count: number; readonly capped: boolean };

export type Counts = ReturnType<typeof createCounts>;

/**
 * Counts of the rows in an index, at most `bound` each. A count reads index entries of about 100
 * bytes: 10,000 cost some 125 read units, however many more there are.
 */
export function createCounts(
  client: DynamoDBClient,
  table: Pick<Table, 'due'>,
  tableName: string,
  bound = 10_000,
) {
  /** Rows that wait in a lane, the leased ones included. */
  const inLane = (lane: string): Promise<BoundedCount> =>
    count({ index: 'due', attribute: 'lane', partition: lane });

  /** Rows of a lane whose time has come, and since when the first of them waits (ms since epoch). */
  async function overdue(lane: string, now: number): Promise<BoundedCount & { oldest?: number }> {
    const [oldest] = await table.due(lane, now, 1);
    if (!oldest) return { count: 0, capped: false };
    const counted = await count({ index: 'due', attribute: 'lane', partition: lane, dueBy: now });
    return { ...counted, oldest: oldest.dueAt };
  }

  const inList = (list: string): Promise<BoundedCount> =>
    count({ index: 'list', attribute: 'listKey', partition: list });

  /** The parked rows themselves, oldest first. */
  const parked = (now: number) => table.due(PARKED, now, bound);

  async function count(of: {
    index: 'due' | 'list';
    attribute: string;
    partition: string;
    dueBy?: number;
  }): Promise<BoundedCount> {
    const { dueBy } = of;
    let total = 0;
    let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: of.index,
          Select: 'COUNT',
          KeyConditionExpression: dueBy === undefined ? '#p = :p' : '#p = :p AND dueAt <= :due',
          ExpressionAttributeNames: { '#p': of.attribute },
          ExpressionAttributeValues: {
            ':p': { S: of.partition },
            ...(dueBy === undefined ? {} : { ':due': { N: String(dueBy) } }),
          },
          Limit: bound + 1 - total,
          ExclusiveStartKey,
        }),
      );
      total += page.Count ?? 0;
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey && total <= bound);
    return { count: Math.min(total, bound), capped: total > bound };
  }

  return { inLane, overdue, inList, parked };
}
