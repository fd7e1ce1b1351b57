import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, asRead, equals, present, type Write } from '../adapters/dynamodb/expression.ts';
import type { Page } from '../adapters/dynamodb/reads.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import { GATE_LANE, GATE_WORK, type Gate } from '../domain/delivering/gate/gate.ts';
import { backlogEntryKey, backlogPartition, deliveryKey } from '../domain/rows.ts';
import type { Due, Lane, RowKey } from '../domain/work.ts';
import { wake } from '../engine/wake.ts';

/** A place in a backlog; its sort key orders the backlog by the time of the events. */
export type BacklogEntry = RowKey & { endpointId: string; eventId: string; expiresAt?: number };

/** Puts a delivery that is written with this `backlogKey` in its place. */
export const entryWrite = (
  backlogKey: string,
  { eventId, endpointId, expiresAt }: Pick<DeliveryRow, 'eventId' | 'endpointId' | 'expiresAt'>,
): Write => ({ put: { ...backlogEntryKey(backlogKey, { eventId }), eventId, endpointId, expiresAt } });

/** Makes a gate check its backlog at `at`; does not bring a deleted endpoint back. */
export const wakeGate = (gate: Gate, at: number) =>
  wake(gate, GATE_LANE, at, { remove: GATE_WORK, if: [present('stateVersion')] });

/** Makes a gate check for a free slot at `at`, since a delivery found none at `now`; only if it is as it was read. */
export const wakeCrowdedGate = (gate: Gate, at: number, now: number) =>
  wake(gate, GATE_LANE, at, {
    setIfAbsent: { crowdedSince: now },
    remove: ['quietSince'],
    if: [present('stateVersion'), asRead('dueAt', gate.dueAt)],
  });

export function createBacklogs(table: Table) {
  /** The first places, oldest events first: of the new deliveries, or of those that are replayed. */
  const first = (gate: RowKey, limit: number, replayed = false): Promise<Page<BacklogEntry>> =>
    table.query<BacklogEntry>({ partition: backlogPartition(gate, replayed), limit, consistent: true });

  /**
   * Makes a delivery that waits due; undefined when it no longer waits: it was erased, or a person has
   * sent it again.
   */
  async function release(
    entry: BacklogEntry,
    lane: Lane,
    at: number,
    set: Partial<DeliveryRow> = {},
  ): Promise<Due | undefined> {
    const { write, due } = wake(deliveryKey(entry.endpointId, entry.eventId), lane, at, {
      set: { ...set, state: 'pending' },
      remove: ['backlogKey'],
      if: [equals('backlogKey', entry.pk), absent('lane')],
    });
    try {
      await table.transact([write, { delete: entry }]);
      return due;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const found = error.rows.get(0) as DeliveryRow | undefined;
      if (found?.backlogKey !== entry.pk) await discard(entry, found);
      return undefined;
    }
  }

  /** Deletes an entry whose delivery has left the backlog, unless the delivery has returned since. */
  async function discard(entry: BacklogEntry, found: DeliveryRow | undefined): Promise<void> {
    const check = deliveryKey(entry.endpointId, entry.eventId);
    await writeIf(table, { check, if: [asRead('backlogKey', found?.backlogKey)] }, { delete: entry });
  }

  return { first, release, discard };
}
