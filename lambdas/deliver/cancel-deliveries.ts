import { equals } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table, Write } from '../adapters/dynamodb/table.ts';
import { countedInReplay } from '../adapters/rows/replays.ts';
import { type DeliveryRow, isFinal } from '../domain/delivering/delivery.ts';
import { QUIET_MS } from '../domain/delivering/delivery-gate.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { backlogEntryKey, deliveryKey, deliveryPartition, endpointKey } from '../domain/rows.ts';
import { type Hint, LEASE_MS, type RowKey } from '../domain/work.ts';
import { type Claim, dueAfter, owned, releaseOnce } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';
import { inParallel } from '../engine/in-parallel.ts';
import type { WorkContext } from '../engine/stage.ts';
import { followerWrite, succeededBy, waitsFor } from './finish-delivery.ts';

/** The order to cancel what a deleted endpoint still had to get. */
export type CancellationRow = RowKey & {
  endpointId: string;
  orderedAt: number;
  /** The last event looked at. */
  cursor?: string;
};

export type CancelDependencies = {
  readonly table: Table;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly retentionDays: number;
};

const PAGE = 100;
const AT_ONCE = 10;

/**
 * Cancels the deliveries of a deleted endpoint that are not final, by consistent reads of all it ever
 * had, and once more when every function call that may still have known the endpoint is over.
 */
export function createCancelDeliveries({ table, hints, now, retentionDays }: CancelDependencies) {
  return async function cancelDeliveries(claim: Claim, { deadline }: WorkContext): Promise<void> {
    const order = claim.row as CancellationRow;
    let { cursor } = order;
    // A callback that is named again is another endpoint by the same id.
    const isBack = (await table.get(endpointKey(order.endpointId))) !== undefined;
    const isMeant = (row: DeliveryRow) => !isFinal(row) && (!isBack || row.createdAt <= order.orderedAt);
    for (;;) {
      const { rows, more } = await table.query<DeliveryRow>({
        partition: deliveryPartition(order.endpointId),
        after: cursor,
        limit: PAGE,
        consistent: true,
      });
      const woken = await inParallel(rows.filter(isMeant), AT_ONCE, cancel);
      const due = woken.filter((hint) => hint !== undefined);
      if (due.length > 0) await hints.send('deliver-slow', due);
      if (!more || rows.length === 0) break;
      cursor = rows.at(-1)?.sk;
      if (now() > deadline) return again(claim, now(), cursor);
      claim.leaseEnd = dueAfter(claim, now() + LEASE_MS);
      await table.write({
        update: order,
        set: { cursor, dueAt: claim.leaseEnd },
        remove: ['claims'],
        if: [owned(claim)],
      });
    }
    const lastLook = order.orderedAt + QUIET_MS;
    if (now() < lastLook) return again(claim, lastLook, undefined);
    await table.write({ delete: order, if: [owned(claim)] });
  };

  /**
   * Takes the delivery from whoever is sending it; what was sent already cannot be called back. What
   * waits for its end, since the endpoint is back, becomes due. Returns the hint of that.
   */
  function cancel(seen: DeliveryRow): Promise<Hint | undefined> {
    return optimistic(async () => {
      const row = await table.get<DeliveryRow>(seen);
      if (!row || isFinal(row)) return undefined;
      const { endpointId, backlogKey, successor } = row;
      const waiting = successor && (await table.get<DeliveryRow>(deliveryKey(endpointId, successor)));
      const follower = waiting && waitsFor(waiting, row) ? followerWrite(row, successor, now()) : undefined;
      const expiresAt = finishedExpiry(now(), retentionDays);
      const writes: Write[] = [
        {
          update: row,
          set: { state: 'canceled', expiresAt },
          remove: ['lane', 'dueAt', 'owner', 'claims', 'parked', 'backlogKey', 'bypassesBreaker', 'inReplay'],
          if: [equals('state', row.state), succeededBy(successor)],
        },
        ...(backlogKey ? [{ delete: backlogEntryKey(backlogKey, row) }] : []),
        ...countedInReplay(row, expiresAt),
        ...(follower ? [follower] : []),
      ];
      await table.transact(writes);
      return follower ? { ...follower.update, dueAt: now() } : undefined;
    });
  }

  async function again(claim: Claim, at: number, cursor: string | undefined): Promise<void> {
    const { pk, sk } = claim.row;
    const change = cursor === undefined ? { remove: ['cursor'] } : { set: { cursor } };
    await releaseOnce(table, claim, { dueAt: at, ...change });
    await hints.send('deliver-slow', [{ pk, sk, dueAt: dueAfter(claim, at) }]);
  }
}
