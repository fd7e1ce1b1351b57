import type { Table } from '../adapters/dynamodb/table.ts';
import { createEndpoints } from '../adapters/rows/endpoints.ts';
import type { CopyRow } from '../domain/copying/copy.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EventRow } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import type { MetaRow } from '../domain/requests/request.ts';
import { backlogEntryKey, copyKey, deliveryKey, metaKey, requestIdOf, requestKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';
import { type Claim, dueAfter, owned, releaseWrite } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';

export type EraseDependencies = {
  readonly table: Table;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
};

const EVENTS_PER_PAGE = 25;
const DELETES_AT_ONCE = 10;
/** How long the clean-up of an unfinished copy is waited for before looking again, ms. */
const COPY_WAIT_MS = 15_000;

/**
 * Erases a request with its events and deliveries, a page of events per claim: each page ends with
 * less to erase, so it can be interrupted anywhere. The request's own rows go last and together,
 * since they are what leads here. A delivery that is being sent meanwhile finds its row gone.
 */
export function createEraseRequest({ table, hints, now }: EraseDependencies) {
  const { listAccountWide, listDeleted } = createEndpoints(table);

  return async function eraseRequest(claim: Claim<OutboxRow>): Promise<void> {
    const requestId = requestIdOf(claim.row);
    const copy = await table.get<CopyRow>(copyKey(requestId));
    if (copy?.lane !== undefined) return again(claim, now() + COPY_WAIT_MS);

    const events = await table.query<EventRow>({
      partition: claim.row.pk,
      prefix: 'EVENT#',
      limit: EVENTS_PER_PAGE,
    });
    if (events.rows.length > 0) {
      const endpointIds = await everAddressed(requestId);
      for (const event of events.rows) await eraseDeliveries(event, endpointIds);
      await erase(events.rows);
      return again(claim, now());
    }
    const segments = await table.query<RowKey>({ partition: claim.row.pk, prefix: 'SEGMENT#', limit: 1_000 });
    await erase(segments.rows);
    if (segments.more) return again(claim, now());
    await table.transact([
      { delete: claim.row, if: [owned(claim)] },
      { delete: requestKey(requestId) },
      { delete: metaKey(requestId) },
      { delete: copyKey(requestId) },
    ]);
  };

  /** The endpoints that may have deliveries of the request. */
  async function everAddressed(requestId: string): Promise<string[]> {
    const meta = await table.get<MetaRow>(metaKey(requestId));
    const account = (await listAccountWide()).map(({ id }) => id);
    const callbacks = (meta?.callbacks ?? []).map(({ endpointId }) => endpointId);
    // One that is deleted at this moment is in both lists.
    return [...new Set([...account, ...(await listDeleted())]), ...callbacks];
  }

  /** The deliveries of an event, after their places in backlogs, to which they alone lead. */
  async function eraseDeliveries({ id }: EventRow, endpointIds: readonly string[]): Promise<void> {
    const rows = await table.getMany<DeliveryRow>(
      endpointIds.map((endpointId) => deliveryKey(endpointId, id)),
    );
    await erase(rows.flatMap((row) => (row.backlogKey ? [backlogEntryKey(row.backlogKey, row)] : [])));
    await erase(rows);
  }

  async function erase(keys: readonly RowKey[]): Promise<void> {
    for (let at = 0; at < keys.length; at += DELETES_AT_ONCE) {
      await Promise.all(keys.slice(at, at + DELETES_AT_ONCE).map((key) => table.write({ delete: key })));
    }
  }

  async function again(claim: Claim<OutboxRow>, at: number): Promise<void> {
    const { pk, sk } = claim.row;
    const dueAt = dueAfter(claim, at);
    await table.write(releaseWrite(claim, { dueAt }));
    await hints.send('dispatch', [{ pk, sk, dueAt }]);
  }
}
