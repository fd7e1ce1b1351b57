import { absent, equals, type Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { type CopyRow, newCopy, renewedSource } from '../domain/copying/copy.ts';
import type { RequestRow } from '../domain/requests/request.ts';
import type { Transition } from '../domain/requests/transition.ts';
import { copyKey } from '../domain/rows.ts';
import { type Due, dueOf } from '../domain/work.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { wake } from '../engine/wake.ts';

/**
 * The write that starts the copy: its row, due now; or the one that gives a fresh URL to the row that waits
 * for it. Undefined when there is nothing to copy.
 */
export async function startCopy(
  table: Pick<Table, 'get'>,
  { row, nonce }: Claim<RequestRow>,
  change: Transition,
  now: number,
): Promise<{ write: Write; due: Due } | undefined> {
  if (!change.source && !change.sourceGone) return undefined;
  const key = copyKey(row.requestId);
  const previous = await table.get<CopyRow>(key);
  if (row.urlWanted && previous) {
    const renewed = renewedSource(previous, change.source, now);
    return renewed && wake(previous, 'copy', now, renewed);
  }
  if (!change.source) return undefined;
  // The nonce is of no other claim, so of no other copy either.
  const begun = newCopy({ requestId: row.requestId, copyId: nonce }, change.source, previous, now);
  const unchanged = previous ? equals('generation', previous.generation) : absent('pk');
  return { write: { put: begun, if: [unchanged] }, due: dueOf(begun) };
}
