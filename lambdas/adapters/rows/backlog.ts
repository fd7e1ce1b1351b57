import type { DeliveryRow } from '../../domain/delivering/delivery.ts';
import type { GateRow } from '../../domain/delivering/delivery-gate.ts';
import { backlogEntryKey, backlogPartition, deliveryKey } from '../../domain/rows.ts';
import { freshDueAt, type Hint, type RowKey } from '../../domain/work.ts';
import { absent, equals, present } from '../dynamodb/expression.ts';
import { ConditionFailed, type Page, type Table, type Write } from '../dynamodb/table.ts';

/** A place in a backlog; its sort key orders the backlog by the time of the events. */
export type BacklogEntry = RowKey & { endpointId: string; eventId: string; expiresAt?: number };

/** Puts a delivery that was written with `backlogKey` in its place. */
export const entryWrite = (
  backlogKey: string,
  { eventId, endpointId, expiresAt }: Pick<DeliveryRow, 'eventId' | 'endpointId' | 'expiresAt'>,
): Write => ({
  put: { ...backlogEntryKey(backlogKey, { eventId, endpointId }), eventId, endpointId, expiresAt },
});

/** Makes a gate look at its backlog at `at`, taking it from whoever is at it now. */
export function wakeWrite(gate: GateRow, at: number): Write & { due: Hint } {
  const { pk, sk, origin, health, stateVersion } = gate;
  const dueAt = freshDueAt(at, gate.dueAt);
  return {
    update: { pk, sk },
    set: { lane: 'deliver-slow', dueAt },
    // An origin's row is made when it is first needed; an endpoint's must not come back after its deletion.
    ...(origin === undefined
      ? { if: [present('stateVersion')] }
      : { setIfAbsent: { origin, health, stateVersion } }),
    remove: ['owner', 'claims', 'parked', 'quietSince'],
    due: { pk, sk, dueAt },
  };
}

export type Backlogs = ReturnType<typeof createBacklogs>;

export function createBacklogs(table: Table) {
  /** The first places, oldest events first: of the new, or of what is replayed. */
  const first = (gate: RowKey, limit: number, replayed = false): Promise<Page<BacklogEntry>> =>
    table.query<BacklogEntry>({ partition: backlogPartition(gate, replayed), limit, consistent: true });

  /**
   * Makes a delivery that waits due; undefined when it does not wait any more: it was erased, or a
   * person sent it meanwhile.
   */
  async function release(
    entry: BacklogEntry,
    dueAt: number,
    more: Partial<DeliveryRow> = {},
  ): Promise<Hint | undefined> {
    const key = deliveryKey(entry.endpointId, entry.eventId);
    try {
      await table.transact([
        {
          update: key,
          set: { state: 'pending', lane: 'deliver-slow', dueAt, ...more },
          remove: ['backlogKey'],
          if: [equals('backlogKey', entry.pk), absent('lane')],
        },
        { delete: entry },
      ]);
      return { ...key, dueAt };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const found = error.rows.get(0) as DeliveryRow | undefined;
      if (found?.backlogKey !== entry.pk) await discard(entry, found);
      return undefined;
    }
  }

  /** Deletes a place that a delivery, as it was just read, is not in; it may have come back since. */
  async function discard(entry: BacklogEntry, found: DeliveryRow | undefined): Promise<void> {
    const still =
      found?.backlogKey === undefined ? absent('backlogKey') : equals('backlogKey', found.backlogKey);
    try {
      await table.transact([
        { check: deliveryKey(entry.endpointId, entry.eventId), if: [still] },
        { delete: entry },
      ]);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  return { first, release, discard };
}
