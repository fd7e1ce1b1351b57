import { equals } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { type SegmentRow, supersededSegment } from '../domain/copying/copy.ts';
import { requestKey, segmentsPrefix } from '../domain/rows.ts';
import { PARKED } from '../domain/work.ts';
import { withdraw } from '../engine/wake.ts';

/** The segments of a request's copy that wait for a person. */
export async function parkedSegments(
  table: Pick<Table, 'queryAll'>,
  requestId: string,
): Promise<SegmentRow[]> {
  const partition = requestKey(requestId).pk;
  const rows = await table.queryAll<SegmentRow>({ partition, prefix: segmentsPrefix(), consistent: true });
  return rows.filter((row) => row.lane === PARKED);
}

/** Ends the segments that wait for a person, when there is nothing left to copy. */
export async function supersedeParked(
  table: Pick<Table, 'queryAll' | 'write' | 'transact'>,
  requestId: string,
  expiresAt: number,
): Promise<void> {
  for (const segment of await parkedSegments(table, requestId)) {
    const set = supersededSegment(expiresAt);
    await writeIf(table, withdraw(segment, { set, if: [equals('lane', PARKED)] }));
  }
}
