import { chunks } from '../domain/chunks.ts';
import type { CopyRow } from '../domain/copying/copy.ts';
import type { EventRow } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import { copyKey, metaKey, requestIdOf, requestKey, segmentsPrefix } from '../domain/rows.ts';
import { PARKED, type RowKey } from '../domain/work.ts';
import { type Claim, progressWrite } from '../engine/claim-writes.ts';
import type { WorkContext } from '../engine/stage.ts';
import { eventsOf } from '../rows/events.ts';
import type { DispatchDependencies } from './dispatch-dependencies.ts';
import { createEraseDeliveries } from './erase-deliveries.ts';
import { createReleaseCallbacks } from './release-callbacks.ts';

const EVENTS_PER_PAGE = 25;
const SEGMENTS_PER_PAGE = 1_000;
/** Rows deleted in one transaction. */
const DELETED_TOGETHER = 50;
/** How long until an unfinished clean-up of a copy is checked again, ms; a parked one waits for a person. */
const COPY_WAIT_MS = 15_000;
const PARKED_COPY_WAIT_MS = 900_000;

/**
 * Erases a request with its events and deliveries. The deliveries go first, so that nothing is sent while
 * the copy is cleaned up. Each page ends with less to erase, so it can be interrupted anywhere. The
 * request's own rows go last and together, since this work is found through them. If an event is written
 * while this runs, its writer takes the claim away.
 *
 * A request that was erased may be registered again, with rows of the same keys. So a worker that lost its claim
 * deletes none of them: the claim is part of each transaction, and deliveries are named by events read under it.
 */
export function createEraseRequest(
  dependencies: Pick<DispatchDependencies, 'table' | 'claims' | 'now' | 'retentionDays'>,
) {
  const { table, claims, now } = dependencies;
  const eraseDeliveries = createEraseDeliveries(dependencies);
  const releaseCallbacks = createReleaseCallbacks(dependencies);

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
      if (!(await claims.renew(claim))) return;
      await eraseDeliveries(requestId, events);
      await erase(claim, events);
      if (now() > deadline) return later(0);
    }
    const copy = await table.get<CopyRow>(copyKey(requestId));
    if (copy?.lane !== undefined) {
      return later(copy.lane === PARKED ? PARKED_COPY_WAIT_MS : COPY_WAIT_MS);
    }
    await hint(await releaseCallbacks(claim));
    const segments = await table.query({
      partition: claim.row.pk,
      prefix: segmentsPrefix(),
      limit: SEGMENTS_PER_PAGE,
      consistent: true,
    });
    await erase(claim, segments.rows);
    if (segments.more) return later(0);
    await claims.remove(claim, [
      { delete: requestKey(requestId) },
      { delete: metaKey(requestId) },
      { delete: copyKey(requestId) },
    ]);
  };

  async function erase(claim: Claim, rows: readonly RowKey[]): Promise<void> {
    for (const page of chunks(rows, DELETED_TOGETHER)) {
      const deletes = page.map((row) => ({ delete: row }));
      await claims.commit(claim, progressWrite(claim, now()), deletes);
    }
  }
}
