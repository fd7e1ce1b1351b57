import { absent, equals } from '../adapters/dynamodb/expression.ts';
import type { Table, Write } from '../adapters/dynamodb/table.ts';
import { type CopyRow, newCopy, renewedSource } from '../domain/copying/copy.ts';
import type { RequestRow } from '../domain/requests/request.ts';
import type { Transition } from '../domain/requests/transition.ts';
import { copyKey } from '../domain/rows.ts';
import type { Hint } from '../domain/work.ts';
import type { Claim } from '../engine/claims.ts';

/**
 * The write by which the poll hands the video's download over to the copy: its row, due now, or a
 * fresh URL for the row that waits for one. Undefined when there is nothing to hand over.
 */
export async function handOver(
  table: Pick<Table, 'get'>,
  { row, nonce }: Claim<RequestRow>,
  change: Transition,
  now: number,
): Promise<{ write: Write; hint: Hint } | undefined> {
  if (!change.source && !change.sourceGone) return undefined;
  const key = copyKey(row.requestId);
  const previous = await table.get<CopyRow>(key);
  const write =
    row.urlWanted && previous
      ? renewedSource(previous, change.source, now)
      : change.source &&
        // The nonce is of no other claim, so of no other copy either.
        begun(newCopy({ requestId: row.requestId, copyId: nonce }, change.source, previous, now), previous);
  return write && { write, hint: { ...key, dueAt: now } };
}

const begun = (row: CopyRow, previous: CopyRow | undefined): Write => ({
  put: row,
  if: [previous ? equals('generation', previous.generation) : absent('pk')],
});
