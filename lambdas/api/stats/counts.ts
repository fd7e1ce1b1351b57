import { type DynamoDBClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { Table } from '../../adapters/dynamodb/table.ts';
import type { TableIndex } from '../../domain/table-schema.ts';
import { PARKED } from '../../domain/work.ts';

/** A count that stops at a bound, since counting reads what it counts. */
type BoundedCount = { readonly count: number; readonly capped: boolean };

export type Counts = ReturnType<typeof createCounts>;

/**
 * Counts of the rows in lanes, at most `bound` each. A count reads index entries of about 100
 * bytes: 10,000 cost some 125 read units, however many more there are.
 */
export function createCounts(
  client: DynamoDBClient,
  table: Pick<Table, 'due'>,
  tableName: string,
  bound = 10_000,
) {
  /** Rows that wait in a lane, the leased ones included. */
  const inLane = (lane: string): Promise<BoundedCount> => count({ lane });

  /** Rows of a lane whose time has come, and since when the first of them waits (ms since epoch). */
  async function overdue(lane: string, now: number): Promise<BoundedCount & { oldest?: number }> {
    const [oldest] = await table.due(lane, now, 1);
    if (!oldest) return { count: 0, capped: false };
    const counted = await count({ lane, dueBy: now });
    return { ...counted, oldest: oldest.dueAt };
  }

  /** The parked rows themselves, oldest first. */
  const parked = (now: number) => table.due(PARKED, now, bound);

  async function count({ lane, dueBy }: { lane: string; dueBy?: number }): Promise<BoundedCount> {
    let total = 0;
    let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: 'due' satisfies TableIndex,
          Select: 'COUNT',
          KeyConditionExpression: dueBy === undefined ? 'lane = :lane' : 'lane = :lane AND dueAt <= :due',
          ExpressionAttributeValues: {
            ':lane': { S: lane },
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

  return { inLane, overdue, parked };
}
