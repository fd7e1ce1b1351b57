import type { Table } from '../../adapters/dynamodb/table.ts';
import { PARKED } from '../../domain/work.ts';

/** A count that stops at a bound, since counting reads what it counts. */
type BoundedCount = { readonly count: number; readonly capped: boolean };

export type Counts = ReturnType<typeof createCounts>;

/**
 * Counts of the rows in lanes, at most `bound` each. A count reads index entries of about 100
 * bytes: 10,000 cost some 125 read units, however many more there are.
 */
export function createCounts(table: Pick<Table, 'due' | 'countDue'>, bound = 10_000) {
  /** Rows that wait in a lane, the leased ones included. */
  const inLane = (lane: string): Promise<BoundedCount> => bounded(lane);

  /** Rows of a lane whose time has come, and since when the first of them waits (ms since epoch). */
  async function overdue(lane: string, now: number): Promise<BoundedCount & { oldest?: number }> {
    const [oldest] = await table.due(lane, now, 1);
    if (!oldest) return { count: 0, capped: false };
    return { ...(await bounded(lane, now)), oldest: oldest.dueAt };
  }

  /** The parked rows themselves, oldest first. */
  const parked = (now: number) => table.due(PARKED, now, bound);

  async function bounded(lane: string, upTo?: number): Promise<BoundedCount> {
    const count = await table.countDue(lane, bound + 1, upTo);
    return { count: Math.min(count, bound), capped: count > bound };
  }

  return { inLane, overdue, parked };
}
