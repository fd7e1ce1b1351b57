import { equals, present } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { CopyRow } from '../domain/copying/copy.ts';
import type { EventDraft } from '../domain/events/event.ts';
import { type RequestRow, requestList, type Video } from '../domain/requests/request.ts';
import { countChanges } from '../domain/requests/request-counts.ts';
import { eventExpiry, finishedExpiry, requestExpiry } from '../domain/retention.ts';
import { metaKey, requestKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import { type Claim, type ClaimWrite, finishWrite } from '../engine/claim-writes.ts';
import type { Claims } from '../engine/claims.ts';
import { withdraw } from '../engine/wake.ts';
import { eventWrites } from '../rows/outbox.ts';
import { countWrites } from '../rows/request-counts.ts';
import { freed } from './key-reservation.ts';

/** How a copy ends that is reported by an event. */
export type CopyOutcome = {
  readonly state: 'stored' | 'failed';
  readonly video: Video;
  readonly event: EventDraft;
  /** What else changes on the copy's row. */
  readonly row?: Partial<CopyRow>;
};

/** Ends copies, each together with its request. */
export function createCommitEnd(options: {
  table: Pick<Table, 'get'>;
  claims: Pick<Claims, 'commit'>;
  now: () => number;
  retentionDays: number;
}) {
  const { table, claims, now, retentionDays } = options;

  /**
   * Ends the copy and its request in one transaction with the event; the event gets the next
   * number after those of the poll stage. `stopped` when the request was stopped: then nothing is written.
   */
  async function end(claim: Claim<CopyRow>, outcome: CopyOutcome): Promise<Due | undefined | 'stopped'> {
    const { requestId } = claim.row;
    return optimistic(
      async () => {
        const row = await table.get<RequestRow>(requestKey(requestId));
        if (row?.state !== 'active') return 'stopped';
        const at = now();
        const draft = { ...outcome.event, data: { status: row.status, ...outcome.event.data } };
        const source = { kind: 'request', requestId } as const;
        const events = eventWrites(source, row, [draft], at, eventExpiry(at, retentionDays));
        const expiresAt = requestExpiry(at, retentionDays);
        const request = withdraw(requestKey(requestId), {
          set: {
            ...events.counters,
            video: outcome.video,
            state: 'done',
            listKey: requestList('done'),
            expiresAt,
          },
          remove: ['urlWanted'],
          if: [
            equals('sequence', row.sequence),
            equals('position', row.position),
            equals('state', row.state),
            equals('status', row.status),
          ],
        });
        await claims.commit(claim, ended(claim, { ...outcome.row, state: outcome.state }), [
          ...freed(claim.row.target),
          request,
          { update: metaKey(requestId), set: { expiresAt } },
          ...events.writes,
          ...countWrites(countChanges(row, { ...row, state: 'done', expiresAt }), requestId),
        ]);
        return events.due;
      },
      { unless: firstRefused },
    );
  }

  /** Ends the copy of a request that was stopped. */
  async function cancel(claim: Claim<CopyRow>): Promise<void> {
    const request = requestKey(claim.row.requestId);
    const video: Video = { state: 'failed', error: 'canceled' };
    const shown = (await table.get<RequestRow>(request))?.video !== undefined;
    await claims.commit(claim, ended(claim, { state: 'canceled' }), [
      ...freed(claim.row.target),
      ...(shown ? [{ update: request, set: { video }, if: [present('video')] }] : []),
    ]);
  }

  const ended = (claim: Claim<CopyRow>, set: Partial<CopyRow>): ClaimWrite =>
    finishWrite(claim, {
      set: { ...set, expiresAt: finishedExpiry(now(), retentionDays) },
      remove: ['urlWantedSince'],
    });

  return { end, cancel };
}
