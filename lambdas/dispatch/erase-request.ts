import { absent, type Condition, equals, present, type Write } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { CopyRow } from '../domain/copying/copy.ts';
import type { CallbackErasureRow } from '../domain/delivering/callback-erasure.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import { GATE_LANE, QUIET_MS } from '../domain/delivering/gate/gate.ts';
import type { EventRow } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import type { MetaRow } from '../domain/requests/request.ts';
import { finishedExpiry } from '../domain/retention.ts';
import {
  backlogEntryKey,
  callbackErasureKey,
  callbackUseKey,
  copyKey,
  deliveryKey,
  endpointKey,
  metaKey,
  requestIdOf,
  requestKey,
  segmentsPrefix,
} from '../domain/rows.ts';
import { type Due, dueOf, PARKED, type RowKey } from '../domain/work.ts';
import { type Claim, removeWrite } from '../engine/claims.ts';
import { inParallel } from '../engine/in-parallel.ts';
import type { WorkContext } from '../engine/stage.ts';
import { createEndpoints, isCallbackUsed } from '../rows/endpoints.ts';
import { eventsOf } from '../rows/events.ts';
import { countedInReplay } from '../rows/replays.ts';
import type { DispatchDependencies } from './dispatch-dependencies.ts';

const EVENTS_PER_PAGE = 25;
const SEGMENTS_PER_PAGE = 1_000;
const DELETES_AT_ONCE = 10;
/** When the clean-up of an unfinished copy is looked at again, ms; a parked one waits for a person. */
const COPY_WAIT_MS = 15_000;
const PARKED_COPY_WAIT_MS = 900_000;

/**
 * Erases a request with its events and deliveries. The deliveries go first, so that nothing is sent while
 * the copy is cleaned up. Each page ends with less to erase, so it can be interrupted anywhere. The
 * request's own rows go last and together, since this work is found through them. A writer of an event takes
 * the claim away meanwhile. A delivery that is being sent finds its row gone.
 */
export function createEraseRequest({
  table,
  claims,
  now,
  retentionDays,
}: Pick<DispatchDependencies, 'table' | 'claims' | 'now' | 'retentionDays'>) {
  const { listAccountWide, listDeleted } = createEndpoints(table);

  return async function eraseRequest(
    claim: Claim<OutboxRow>,
    { deadline, hint }: WorkContext,
  ): Promise<void> {
    const requestId = requestIdOf(claim.row);
    const later = async (ms: number) => hint(await claims.again(claim, now() + ms));

    for (;;) {
      const page = { ...eventsOf(requestId), limit: EVENTS_PER_PAGE };
      const { rows: events } = await table.query<EventRow>(page);
      if (events.length === 0) break;
      const endpointIds = await everAddressed(requestId);
      for (const event of events) await eraseDeliveries(event, endpointIds);
      await erase(events);
      if (now() > deadline) return later(0);
      await claims.progress(claim);
    }
    const copy = await table.get<CopyRow>(copyKey(requestId));
    if (copy?.lane !== undefined) {
      return later(copy.lane === PARKED ? PARKED_COPY_WAIT_MS : COPY_WAIT_MS);
    }
    await hint(await releaseCallbacks(requestId));
    const segments = await table.query({
      partition: claim.row.pk,
      prefix: segmentsPrefix(),
      limit: SEGMENTS_PER_PAGE,
      consistent: true,
    });
    await erase(segments.rows);
    if (segments.more) return later(0);
    await table.transact([
      removeWrite(claim),
      { delete: requestKey(requestId) },
      { delete: metaKey(requestId) },
      { delete: copyKey(requestId) },
    ]);
  };

  /** Ends the request's use of its callbacks, and leaves the task to erase those that no other request names. */
  async function releaseCallbacks(requestId: string): Promise<(Due | undefined)[]> {
    const meta = await table.get<MetaRow>(metaKey(requestId));
    return inParallel(meta?.callbacks ?? [], DELETES_AT_ONCE, async ({ endpointId }) => {
      await table.write({ delete: callbackUseKey(endpointId, requestId) });
      if (await isCallbackUsed(table, endpointId)) return undefined;
      const unusedSince = now();
      const work = { lane: GATE_LANE, dueAt: unusedSince + QUIET_MS };
      const key = callbackErasureKey(endpointId);
      const task = { ...key, ...work, endpointId, unusedSince } satisfies CallbackErasureRow;
      const mark: Write = {
        update: endpointKey(endpointId),
        set: { unusedSince },
        if: [present('expiresAt')],
      };
      return (await writeIf(table, mark, { put: task })) ? dueOf(task) : undefined;
    });
  }

  /** The endpoints that may have deliveries of the request. */
  async function everAddressed(requestId: string): Promise<string[]> {
    const meta = await table.get<MetaRow>(metaKey(requestId));
    const account = (await listAccountWide()).map(({ id }) => id);
    const callbacks = (meta?.callbacks ?? []).map(({ endpointId }) => endpointId);
    // One that is deleted at this moment is in both lists.
    return [...new Set([...account, ...(await listDeleted())]), ...callbacks];
  }

  async function eraseDeliveries({ id }: EventRow, endpointIds: readonly string[]): Promise<void> {
    const rows = await table.getMany<DeliveryRow>(
      endpointIds.map((endpointId) => deliveryKey(endpointId, id)),
    );
    const there = rows.filter((row) => row !== undefined);
    await inParallel(there, DELETES_AT_ONCE, eraseDelivery);
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
          if: [as('backlogKey', backlogKey), as('replayId', replayId), as('inReplay', inReplay)],
        },
        ...(backlogKey ? [{ delete: backlogEntryKey(backlogKey, known) }] : []),
        ...countedInReplay(known, finishedExpiry(now(), retentionDays)),
      ]);
    });
  }

  async function erase(keys: readonly RowKey[]): Promise<void> {
    await inParallel(keys, DELETES_AT_ONCE, (key) => table.write({ delete: key }));
  }
}

const as = (attribute: string, value: unknown): Condition =>
  value === undefined ? absent(attribute) : equals(attribute, value);
