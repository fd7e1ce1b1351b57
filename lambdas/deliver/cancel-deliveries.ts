import { asRead, equals, type Write } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { CancellationRow } from '../domain/delivering/cancellation.ts';
import { type DeliveryRow, isFinal } from '../domain/delivering/delivery.ts';
import { GATE_LANE, QUIET_MS } from '../domain/delivering/gate/gate.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { idsOf } from '../domain/row-ids.ts';
import { backlogEntryKey, deliveryKey, deliveryPartition } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { inParallel } from '../engine/in-parallel.ts';
import type { WorkContext } from '../engine/stage.ts';
import { withdraw } from '../engine/wake.ts';
import { countedInReplay } from '../rows/replays.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';
import { waitsFor, wakeSuccessor } from './finish-delivery.ts';

const PAGE = 100;
const AT_ONCE = 10;

/**
 * Cancels the deliveries of a deleted endpoint that are not final, by consistent reads of all it ever
 * had, and once more when every function call that may still have known the endpoint is over.
 *
 * A callback that is named again is another endpoint with the same id. Each delivery says which of the two
 * it is for, and the transaction that cancels it demands that it is the deleted one.
 */
export function createCancelDeliveries({ table, claims, now, retentionDays, log }: DeliverDependencies) {
  return async function cancelDeliveries(
    claim: Claim<CancellationRow>,
    { deadline, hint }: WorkContext,
  ): Promise<void> {
    const task = claim.row;
    let { cursor } = task;
    for (;;) {
      const { rows, more } = await table.query<DeliveryRow>({
        partition: deliveryPartition(task.endpointId),
        after: cursor,
        limit: PAGE,
        consistent: true,
      });
      const left = rows.filter((row) => isToCancel(task, row));
      await hint(await inParallel(left, AT_ONCE, (row) => cancel(task, row)));
      if (!more || rows.length === 0) break;
      cursor = rows.at(-1)?.sk;
      if (now() > deadline) return hint(await claims.again(claim, now(), { set: { cursor } }));
      await claims.progress(claim, { cursor });
    }
    const lastCheckAt = task.orderedAt + QUIET_MS;
    if (now() < lastCheckAt) return hint(await claims.again(claim, lastCheckAt, { remove: ['cursor'] }));
    await claims.remove(claim);
  };

  /**
   * Takes the delivery from the worker that is sending it; what was sent already cannot be called back. A
   * successor for the endpoint that was named again becomes due. Returns what is due by it.
   */
  function cancel(task: CancellationRow, seen: DeliveryRow): Promise<Due | undefined> {
    return optimistic(async () => {
      const row = await table.get<DeliveryRow>(seen);
      if (!row || !isToCancel(task, row)) return undefined;
      const { endpointId, backlogKey, successor } = row;
      const waiting = successor && (await table.get<DeliveryRow>(deliveryKey(endpointId, successor)));
      const woken =
        waiting && waitsFor(waiting, row) ? wakeSuccessor(row, successor, GATE_LANE, now()) : undefined;
      const expiresAt = finishedExpiry(now(), retentionDays);
      const writes: Write[] = [
        withdraw(row, {
          set: { state: 'canceled', expiresAt },
          remove: ['backlogKey', 'bypassesBreaker', 'inReplay'],
          if: [
            equals('state', row.state),
            equals('endpointCreatedAt', row.endpointCreatedAt),
            asRead('successor', successor),
            asRead('backlogKey', backlogKey),
          ],
        }),
        ...(backlogKey ? [{ delete: backlogEntryKey(backlogKey, row) }] : []),
        ...countedInReplay(row, expiresAt),
        ...(woken ? [woken.write] : []),
      ];
      await table.transact(writes);
      log.info('canceled', idsOf(row));
      return woken?.due;
    });
  }
}

/** Whether the task cancels this delivery: it is not final, and for the endpoint that was deleted. */
const isToCancel = (task: CancellationRow, row: DeliveryRow): boolean =>
  !isFinal(row) && row.endpointCreatedAt <= (task.endpointCreatedAt ?? task.orderedAt);
