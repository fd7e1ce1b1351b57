import { absent, type Condition, equals } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table, type Write } from '../adapters/dynamodb/table.ts';
import { countedInReplay } from '../adapters/rows/replays.ts';
import { type DeliveryRow, failedLane } from '../domain/delivering/delivery.ts';
import { deliveryKey } from '../domain/rows.ts';
import type { Hint } from '../domain/work.ts';
import { type Claim, releaseWrite } from '../engine/claims.ts';

const TRIES = 5;

/**
 * The write that ends a claimed delivery, in one transaction with what waits for its end: the next
 * delivery of an ordered endpoint becomes due, and a replay counts one more. Returns the hint of the
 * next one. Throws {@link ConditionFailed} when the delivery is no longer this worker's.
 */
export async function finishDelivery(
  table: Table,
  claim: Claim<DeliveryRow>,
  set: Partial<DeliveryRow>,
  expiresAt: number,
  now: number,
): Promise<Hint | undefined> {
  const { row } = claim;
  const failed = set.state === 'failed' ? { lane: failedLane(row.endpointId), dueAt: now } : {};
  const finish = releaseWrite(claim, {
    ...failed,
    set: { ...set, expiresAt },
    remove: ['bypassesBreaker', 'inReplay'],
  });
  let { successor } = row;
  let waiting = true;
  const counted = countedInReplay(row, expiresAt);
  for (let attempt = 1; ; attempt++) {
    const follower = successor !== undefined && waiting ? followerWrite(row, successor, now) : undefined;
    // It may have got a follower since it was claimed.
    const finishing: Write = { ...finish, if: [...(finish.if ?? []), succeededBy(successor)] };
    try {
      const others = follower ? [follower, ...counted] : counted;
      if (others.length > 0) await table.transact([finishing, ...others]);
      else await table.write(finishing);
      return follower && { ...follower.update, dueAt: now };
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === TRIES) throw error;
      if (error.failed.includes(0)) {
        const current = error.rows.get(0) as DeliveryRow | undefined;
        if (current?.releasedBy === claim.nonce) return follower && { ...follower.update, dueAt: now };
        if (current?.owner !== claim.nonce) throw error;
        successor = current.successor;
      } else waiting = false;
    }
  }
}

/** Whether a delivery waits for the end of the one before it, and is due by nothing else. */
export const waitsFor = (row: DeliveryRow, before: DeliveryRow): boolean =>
  row.predecessor === before.eventId &&
  row.state === 'pending' &&
  row.lane === undefined &&
  row.backlogKey === undefined;

export const succeededBy = (successor: string | undefined): Condition =>
  successor === undefined ? absent('successor') : equals('successor', successor);

/** Makes the follower due, if {@link waitsFor} still holds. */
export const followerWrite = ({ endpointId, eventId }: DeliveryRow, successor: string, now: number) =>
  ({
    update: deliveryKey(endpointId, successor),
    set: { lane: 'deliver-slow', dueAt: now },
    if: [equals('predecessor', eventId), equals('state', 'pending'), absent('lane'), absent('backlogKey')],
  }) satisfies Write;
