import { asRead } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EventRow } from '../domain/events/event.ts';
import type { MetaRow } from '../domain/requests/request.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { backlogEntryKey, deliveryKey, metaKey } from '../domain/rows.ts';
import { inParallel } from '../engine/in-parallel.ts';
import { createEndpoints } from '../rows/endpoints.ts';
import { countedInReplay } from '../rows/replays.ts';
import type { DispatchDependencies } from './dispatch-dependencies.ts';

const DELETES_AT_ONCE = 10;

/** Erases the deliveries of a request's events. One that is being sent finds its row gone. */
export function createEraseDeliveries({
  table,
  now,
  retentionDays,
}: Pick<DispatchDependencies, 'table' | 'now' | 'retentionDays'>) {
  const { listAccountWide, listDeleted } = createEndpoints(table);

  return async function eraseDeliveries(requestId: string, events: readonly EventRow[]): Promise<void> {
    const endpointIds = await everAddressed(requestId);
    for (const { id } of events) {
      const rows = await table.getMany<DeliveryRow>(
        endpointIds.map((endpointId) => deliveryKey(endpointId, id)),
      );
      const there = rows.filter((row) => row !== undefined);
      await inParallel(there, DELETES_AT_ONCE, eraseDelivery);
    }
  };

  /** The endpoints that may have deliveries of the request. */
  async function everAddressed(requestId: string): Promise<string[]> {
    const meta = await table.get<MetaRow>(metaKey(requestId));
    const account = (await listAccountWide()).map(({ id }) => id);
    const callbacks = (meta?.callbacks ?? []).map(({ endpointId }) => endpointId);
    // One that is deleted at this moment is in both lists.
    return [...new Set([...account, ...(await listDeleted())]), ...callbacks];
  }

  /** A delivery with its place in a backlog, which only the delivery names; a replay counts it as ended. */
  function eraseDelivery(row: DeliveryRow): Promise<void> {
    let seen: DeliveryRow | undefined = row;
    return optimistic(async () => {
      const known: DeliveryRow | undefined = seen ?? (await table.get<DeliveryRow>(row));
      seen = undefined;
      if (!known) return;
      const { backlogKey, replayId, inReplay } = known;
      await table.transact([
        {
          delete: known,
          if: [asRead('backlogKey', backlogKey), asRead('replayId', replayId), asRead('inReplay', inReplay)],
        },
        ...(backlogKey ? [{ delete: backlogEntryKey(backlogKey, known) }] : []),
        ...countedInReplay(known, finishedExpiry(now(), retentionDays)),
      ]);
    });
  }
}
