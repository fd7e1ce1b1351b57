import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, type Write } from '../adapters/dynamodb/expression.ts';
import { firstRefused } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { CopyRow, CopyTarget } from '../domain/copying/copy.ts';
import { objectKey } from '../domain/rows.ts';
import { type Claim, owned } from '../engine/claim-writes.ts';

/** Reserves the keys of objects, so that no two copies write to one. */
export function createKeyReservation(table: Pick<Table, 'transact'>) {
  /**
   * Reserves a key for the copy, and frees the one it had; false when another copy has it. The
   * row notes the key in the same write, so the worker that ends the copy knows what is reserved.
   */
  async function reserve(claim: Claim<CopyRow>, target: CopyTarget): Promise<boolean> {
    const { requestId, target: had } = claim.row;
    if (had?.bucket === target.bucket && had.key === target.key) return true;
    try {
      await table.transact([
        { update: claim.row, set: { target }, if: [owned(claim)] },
        { put: { ...objectKey(target.bucket, target.key), requestId }, if: [absent('pk')] },
        ...freed(had),
      ]);
    } catch (error) {
      if (!(error instanceof ConditionFailed) || firstRefused(error)) throw error;
      return false;
    }
    claim.row.target = target;
    return true;
  }

  return { reserve };
}

/** Frees the key of a copy that has ended; the object itself holds it, if there is one. */
export const freed = (key: CopyTarget | undefined): Write[] =>
  key ? [{ delete: objectKey(key.bucket, key.key) }] : [];
