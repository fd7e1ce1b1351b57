import { equals, present } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import type { Write } from '../../adapters/dynamodb/table.ts';
import { writeIf } from '../../adapters/dynamodb/write-if.ts';
import { requestList } from '../../domain/requests/request.ts';
import { finishedExpiry } from '../../domain/retention.ts';
import { copyKey, metaKey, requestKey, upstreamPauseKey } from '../../domain/rows.ts';
import { freshDueAt, LANES, type Lane, PARKED, type RowKey, type Work } from '../../domain/work.ts';
import type { ApiContext } from '../http/context.ts';
import type { Commit, Outcome } from '../http/idempotency.ts';
import { conflict, notFound } from '../http/problem.ts';
import type { DueNow } from './registration.ts';
import { createRequests, outboxOf, type TrackedRequest } from './tracked-requests.ts';

/**
 * Orders from a person to a tracked request: poll now, stop, erase. They change what is due without
 * owning it, so they take the row away from whoever does.
 */
export function createTracking(context: Pick<ApiContext, 'table' | 'now' | 'retentionDays'>) {
  const { table, now, retentionDays } = context;
  const requests = createRequests(table, now);

  /**
   * Makes the poll due now, and whatever is parked due again. A pause of all polling ends: this poll is its
   * probe.
   */
  async function pollNow(requestId: string, commit: Commit): Promise<{ outcome: Outcome; due: DueNow[] }> {
    return optimistic(async () => {
      const tracked = await known(requestId);
      const { request, copy, parkedSegments, outbox } = tracked;
      const rows = [copy, outbox, ...parkedSegments];
      const parked = rows.filter((row) => row?.lane === PARKED) as (RowKey & Work)[];
      const polled = request.lane === 'poll' || request.lane === PARKED ? [request] : [];
      const woken = [...polled, ...parked].map((row) => wake(row, now()));
      if (woken.length === 0) throw conflict('The request has ended at Topaz: to poll it again, restart it.');
      const outcome = await commit(
        woken.slice(0, MOST_WOKEN).map(({ write }) => write),
        { status: 202, ids: { requestId } },
      );
      await endPause();
      return { outcome, due: woken.slice(0, MOST_WOKEN).map(({ due }) => due) };
    });
  }

  async function endPause(): Promise<void> {
    await writeIf(table, {
      update: upstreamPauseKey,
      set: { until: now() },
      remove: ['probeUntil'],
      if: [present('pk')],
    });
  }

  /** Ends the tracking. Events observed already are still delivered, unless all is erased. */
  async function stop(requestId: string, { purge }: { purge: boolean }): Promise<DueNow[]> {
    return optimistic(async () => {
      const tracked = await known(requestId);
      const at = now();
      const copy = cancelCopy(tracked, at);
      const outbox = purge ? purgeOutbox(tracked, at) : undefined;
      const expiresAt = finishedExpiry(at, retentionDays);
      await table.transact([
        stopRequest(tracked, { purge, expiresAt }),
        { update: metaKey(requestId), set: { expiresAt }, if: [present('pk')] },
        ...[copy, outbox].flatMap((each) => (each ? [each.write] : [])),
      ]);
      return [copy, outbox].flatMap((each) => (each ? [each.due] : []));
    });
  }

  async function known(requestId: string): Promise<TrackedRequest> {
    const tracked = await requests.get(requestId);
    if (!tracked) throw notFound('request');
    return tracked;
  }

  return { pollNow, stop };
}

/** Rows in one transaction; of more parked segments the rest waits for the next call. */
const MOST_WOKEN = 90;

type Ordered = { readonly write: Write; readonly due: DueNow };

/** A row that waits, in its lane or parked, is due now. */
function wake(row: RowKey & Work, now: number): Ordered {
  const lane = row.lane === PARKED ? (row.parked?.lane ?? laneOf(row)) : row.lane;
  const dueAt = freshDueAt(now, row.dueAt);
  return {
    write: {
      update: row,
      set: { lane, dueAt },
      remove: ['owner', 'claims', 'parked'],
      if: [equals('lane', row.lane)],
    },
    due: {
      lane: LANES.find((each) => each === lane) ?? laneOf(row),
      hint: { pk: row.pk, sk: row.sk, dueAt },
    },
  };
}

/** The lane that a row of a request belongs to. */
function laneOf({ sk }: RowKey): Lane {
  if (sk === 'REQUEST') return 'poll';
  return sk === 'OUTBOX' ? 'dispatch' : 'copy';
}

function stopRequest(
  { request }: TrackedRequest,
  { purge, expiresAt }: { purge: boolean; expiresAt: number },
): Write {
  const listed = purge ? { purged: true } : { listKey: requestList('stopped') };
  return {
    update: requestKey(request.requestId),
    set: { state: 'stopped', expiresAt, ...listed },
    remove: [...['lane', 'dueAt', 'owner', 'claims', 'parked'], ...(purge ? ['listKey', 'listAt'] : [])],
    // The copy ends in the row of the request: one that just ended is not to be canceled.
    if: [
      equals('state', request.state),
      request.video ? equals('video.state', request.video.state) : { attribute: 'video', is: 'absent' },
    ],
  };
}

/** A copy that is not finished is canceled by its own stage, which cleans up. */
function cancelCopy({ request, copy }: TrackedRequest, now: number): Ordered | undefined {
  const { requestId, video } = request;
  if (!copy || (video?.state !== 'pending' && video?.state !== 'copying')) return undefined;
  const dueAt = freshDueAt(now, copy.dueAt);
  return {
    write: {
      update: copyKey(requestId),
      set: { canceled: true, lane: 'copy', dueAt },
      remove: ['owner', 'claims', 'parked'],
      if: [present('pk')],
    },
    due: { lane: 'copy', hint: { ...copyKey(requestId), dueAt } },
  };
}

/** The dispatch stage erases: it alone knows where the events went. */
function purgeOutbox({ request, outbox }: TrackedRequest, now: number): Ordered {
  const key = outboxOf(request.requestId);
  const dueAt = freshDueAt(now, outbox?.dueAt);
  return {
    write: {
      update: key,
      set: { purge: true, lane: 'dispatch', dueAt },
      remove: ['owner', 'claims', 'parked', 'expiresAt'],
      if: [present('pk')],
    },
    due: { lane: 'dispatch', hint: { ...key, dueAt } },
  };
}
