import { requestCountsKey } from '../rows.ts';
import type { RowKey } from '../work.ts';
import { KNOWN_STATUSES, LOST, REGISTERED, type RequestRow } from './request.ts';

/**
 * How many requests there are, by state and status. The transactions that change requests also change these counts,
 * since counting would read all requests. DynamoDB deletes an expired request without a transaction. So requests
 * expire at the end of a UTC day, and each day has its own count, which expires with them.
 */
export type RequestCounts = {
  readonly state: RequestRow['state'];
  readonly status: string;
  readonly count: number;
};

type Counted = Pick<RequestRow, 'state' | 'status' | 'expiresAt' | 'counted'>;

/** How much is added to a count. */
export type CountChange = {
  /** When the requests of this count expire, s since epoch; 0 while they are active. */
  readonly expiresAt: number;
  /** The attribute that holds the count. */
  readonly name: string;
  readonly by: 1 | -1;
};

/** Rows that each count is spread over, so that writers at the same time seldom conflict on one row. */
const SHARES = 16;
const NAMED: readonly string[] = [...KNOWN_STATUSES, REGISTERED, LOST];
/** Stands for every status that the bridge does not know: upstream could name any number of them. */
const UNRECOGNIZED = 'unrecognized';
const SEPARATOR = ':';

/** How the counts change when a request changes, begins (no `before`) or is erased (no `after`). */
export function countChanges(before: Counted | undefined, after: Counted | undefined): CountChange[] {
  // A request that was registered before there were counts is not counted until it begins again.
  const left = before?.counted ? changeOf(before, -1) : undefined;
  const entered = after?.counted ? changeOf(after, 1) : undefined;
  if (left && entered && left.name === entered.name && left.expiresAt === entered.expiresAt) return [];
  return [left, entered].filter((change) => change !== undefined);
}

const changeOf = ({ state, status, expiresAt = 0 }: Counted, by: 1 | -1): CountChange => ({
  expiresAt,
  name: `${state}${SEPARATOR}${NAMED.includes(status) ? status : UNRECOGNIZED}`,
  by,
});

/** The row of a count, for one share of its changes; by a request's id when it is changed alone. */
export const countKey = ({ expiresAt }: Pick<CountChange, 'expiresAt'>, requestId: string): RowKey =>
  requestCountsKey(expiresAt, Number.parseInt(requestId.slice(0, 2), 16) % SHARES);

/** The sums over rows of counts. */
export function sumOfCounts(rows: readonly Readonly<Record<string, unknown>>[]): RequestCounts[] {
  const sums = new Map<string, number>();
  for (const row of rows) {
    for (const [name, count] of Object.entries(row)) {
      if (name.includes(SEPARATOR)) sums.set(name, (sums.get(name) ?? 0) + Number(count));
    }
  }
  return [...sums].map(([name, count]) => {
    const [state, status] = name.split(SEPARATOR) as [RequestRow['state'], string];
    return { state, status, count };
  });
}
