import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, asRead, equals } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { DeliveryRow, DeliveryState } from '../domain/delivering/delivery.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { deliveryKey } from '../domain/rows.ts';
import type { Due, Lane } from '../domain/work.ts';
import { type Claim, finishWrite } from '../engine/claim-writes.ts';
import { wake } from '../engine/wake.ts';
import { countedInReplay } from '../rows/replays.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

/**
 * Ends a claimed delivery, in one transaction with what waits for its end: the successor at an ordered endpoint
 * becomes due, and a replay counts one more. Returns what is due by it. Throws {@link ConditionFailed} when the
 * delivery is no longer this worker's.
 */
export function createFinishDelivery({
  claims,
  now,
  retentionDays,
}: Pick<DeliverDependencies, 'claims' | 'now' | 'retentionDays'>) {
  return async function finishDelivery(
    claim: Claim<DeliveryRow>,
    set: Partial<DeliveryRow> & { state: DeliveryState },
  ): Promise<Due | undefined> {
    const { row } = claim;
    const at = now();
    const expiresAt = finishedExpiry(at, retentionDays);
    const counted = countedInReplay(row, expiresAt);
    const finish = finishWrite(claim, {
      set: { ...set, expiresAt },
      remove: ['bypassesBreaker', 'inReplay'],
    });
    let { successor } = row;
    let waits = true;
    async function commit(): Promise<Due | undefined> {
      const woken = successor && waits ? wakeSuccessor(row, successor, claim.lane, at) : undefined;
      // It may have got a successor since it was claimed.
      const write = { ...finish.write, if: [...(finish.write.if ?? []), asRead('successor', successor)] };
      try {
        await claims.commit(claim, { write }, [...(woken ? [woken.write] : []), ...counted]);
      } catch (error) {
        if (error instanceof ConditionFailed) noteSuccessor(error);
        throw error;
      }
      return woken?.due;
    }
    /** Notes what a refusal says of the successor, for the next try. */
    function noteSuccessor(refused: ConditionFailed): void {
      if (firstRefused(refused)) successor = asItIs(refused)?.successor;
      else waits = false;
    }
    const isLost = (refused: ConditionFailed): boolean =>
      firstRefused(refused) && asItIs(refused)?.owner !== claim.nonce;
    return optimistic(commit, { unless: isLost });
  };
}

/** The delivery whose end was refused. */
const asItIs = (refused: ConditionFailed) => refused.rows.get(0) as DeliveryRow | undefined;

/** Whether a delivery waits only for the end of its predecessor. */
export const waitsFor = (row: DeliveryRow, predecessor: DeliveryRow): boolean =>
  row.predecessor === predecessor.eventId &&
  row.state === 'pending' &&
  row.lane === undefined &&
  row.backlogKey === undefined;

/** Makes the successor due, if {@link waitsFor} still holds. */
export const wakeSuccessor = (
  { endpointId, eventId }: DeliveryRow,
  successor: string,
  lane: Lane,
  at: number,
) =>
  wake(deliveryKey(endpointId, successor), lane, at, {
    if: [equals('predecessor', eventId), equals('state', 'pending'), absent('lane'), absent('backlogKey')],
  });
