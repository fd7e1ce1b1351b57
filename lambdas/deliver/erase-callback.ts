import { equals, present, type Write } from '../adapters/dynamodb/expression.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { CallbackErasureRow } from '../domain/delivering/callback-erasure.ts';
import { endpointKey } from '../domain/rows.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { isCallbackUsed } from '../rows/endpoints.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

/**
 * Erases the row of a callback, which holds its URL, when no request names it any more.
 *
 * It was marked as unused two minutes ago. A registration that read the row before the mark has ended since, so
 * its use is seen here; one that read it later has removed the mark. A callback that a person changed does not
 * expire, and stays until that person deletes it.
 */
export function createEraseCallback({ table, claims }: Pick<DeliverDependencies, 'table' | 'claims'>) {
  return async function eraseCallback(claim: Claim<CallbackErasureRow>): Promise<void> {
    const { endpointId, unusedSince } = claim.row;
    const key = endpointKey(endpointId);
    const asMarked = [equals('unusedSince', unusedSince), present('expiresAt')];
    const end: Write = (await isCallbackUsed(table, endpointId))
      ? { update: key, remove: ['unusedSince'], if: asMarked }
      : { delete: key, if: asMarked };
    await writeIf(table, end);
    await claims.remove(claim);
  };
}
