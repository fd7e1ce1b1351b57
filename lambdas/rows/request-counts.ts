import type { Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import {
  type CountChange,
  countKey,
  type RequestCounts,
  sumOfCounts,
} from '../domain/requests/request-counts.ts';
import { isExpired } from '../domain/retention.ts';
import { REQUEST_COUNTS } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

/** The writes of changes of the counts, one for each row; never refused. All of them go to the share of one request. */
export function countWrites(changes: readonly CountChange[], requestId: string): Write[] {
  return [...Map.groupBy(changes, ({ expiresAt }) => expiresAt)].flatMap(([expiresAt, each]) => {
    const add: Record<string, number> = {};
    for (const { name, by } of each) add[name] = (add[name] ?? 0) + by;
    const changed = Object.entries(add).filter(([, by]) => by !== 0);
    if (changed.length === 0) return [];
    return [
      {
        update: countKey({ expiresAt }, requestId),
        add: Object.fromEntries(changed),
        set: expiresAt === 0 ? {} : { expiresAt },
      },
    ];
  });
}

/** How many requests there are, by state and status. */
export async function readRequestCounts(
  table: Pick<Table, 'queryAll'>,
  now: number,
): Promise<RequestCounts[]> {
  const rows = await table.queryAll<RowKey & { expiresAt?: number }>({ partition: REQUEST_COUNTS });
  return sumOfCounts(rows.filter((row) => !isExpired(row, now)));
}
