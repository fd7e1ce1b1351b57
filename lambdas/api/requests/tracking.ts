import { absent, asRead, equals, present, type Write } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { writeIf } from '../../adapters/dynamodb/write-if.ts';
import { requestList } from '../../domain/requests/request.ts';
import { countChanges } from '../../domain/requests/request-counts.ts';
import { eventExpiry, outboxExpiry, requestExpiry } from '../../domain/retention.ts';
import { copyKey, metaKey, requestKey, upstreamPauseKey, workOf } from '../../domain/rows.ts';
import type { Due, Lane, RowKey, Work } from '../../domain/work.ts';
import { wake, withdraw } from '../../engine/wake.ts';
import { countWrites } from '../../rows/request-counts.ts';
import type { ApiContext } from '../http/context.ts';
import type { Commit, Effect } from '../http/idempotency.ts';
import { conflict } from '../http/problem.ts';
import { knownRequest } from './known-request.ts';
import { createRequests, outboxOf, type TrackedRequest } from './tracked-requests.ts';

type Woken = ReturnType<typeof wake>;

/**
 * Commands of a user about a tracked request: poll now, stop, erase. They change what is due without
 * owning it, so they take the row away from a worker that does.
 */
export function createTracking(context: Pick<ApiContext, 'table' | 'now' | 'retentionDays'>) {
  const { table, now, retentionDays } = context;
  const requests = createRequests(table, now);

  /**
   * Makes the poll due now, and whatever is parked due again. A pause of all polling ends: this poll is its
   * probe.
   */
  async function pollNow(requestId: string, commit: Commit): Promise<Effect> {
    return optimistic(async () => {
      const at = now();
      const { request, parked } = await knownRequest(requests, requestId);
      const polled = request.lane === 'poll' ? [request] : [];
      const woken = [...polled, ...parked].slice(0, MOST_WOKEN).map((row) => wakeNow(row, at));
      if (woken.length === 0) throw conflict('The request has ended at Topaz: to poll it again, restart it.');
      const effect = await commit(
        woken.map(({ write }) => write),
        { status: 202, ids: { requestId }, due: woken.map(({ due }) => due) },
      );
      await endPause();
      return effect;
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
  async function stop(requestId: string, { purge }: { purge: boolean }): Promise<(Due | undefined)[]> {
    return optimistic(async () => {
      const tracked = await knownRequest(requests, requestId);
      const at = now();
      const copy = cancelCopy(tracked, at);
      const outbox = purge ? purgeOutbox(tracked, at) : undefined;
      const expiresAt = requestExpiry(at, retentionDays);
      const { request } = tracked;
      const stopped = purge ? undefined : { ...request, state: 'stopped' as const, expiresAt };
      await table.transact([
        stopRequest(tracked, { purge, expiresAt }),
        { update: metaKey(requestId), set: { expiresAt }, if: [present('pk')] },
        copy.write,
        outbox?.write ?? outboxExpires(requestId, at),
        ...countWrites(countChanges(request, stopped), requestId),
      ]);
      return [copy.due, outbox?.due];
    });
  }

  /** A stopped request gets no more events, so no event sets when its outbox expires. */
  function outboxExpires(requestId: string, at: number): Write {
    const expiresAt = outboxExpiry(eventExpiry(at, retentionDays));
    return { update: outboxOf(requestId), set: { expiresAt } };
  }

  return { pollNow, stop };
}

/** Rows in one transaction; of more parked segments the rest waits for the next call. */
const MOST_WOKEN = 90;

/** A row that waits, in its lane or parked, is due now. */
const wakeNow = (row: RowKey & Work, now: number): Woken =>
  wake(row, laneOf(row), now, { if: [equals('lane', row.lane)] });

/** The lane that a row of a request belongs to. */
function laneOf(row: RowKey): Lane {
  const { kind } = workOf(row);
  if (kind === 'poll') return 'poll';
  return kind === 'outbox' ? 'dispatch' : 'copy';
}

function stopRequest(
  { request }: TrackedRequest,
  { purge, expiresAt }: { purge: boolean; expiresAt: number },
): Write {
  const listed = purge ? { purged: true } : { listKey: requestList('stopped') };
  return withdraw(requestKey(request.requestId), {
    set: { state: 'stopped', expiresAt, ...listed },
    remove: purge ? ['listKey', 'listAt'] : [],
    // A copy's end is written to the request's row. Do not cancel a copy that has just ended.
    if: [
      equals('state', request.state),
      equals('status', request.status),
      // These conditions fail when another call has stopped or erased the request, so it is not counted twice.
      asRead('expiresAt', request.expiresAt),
      absent('purged'),
      request.video ? equals('video.state', request.video.state) : absent('video'),
    ],
  });
}

/**
 * Makes the copy stage cancel a copy that has not ended. That stage cleans up at once, and again when the lease of
 * the worker that had the copy has ended. If a copy began while the rows were read, the write fails and all is
 * read again.
 */
function cancelCopy({ request, copy }: TrackedRequest, now: number): { write: Write; due?: Due } {
  if (copy?.lane === undefined) {
    return { write: { check: copyKey(request.requestId), if: [absent('lane')] } };
  }
  // A claim and each renewal change the due time, so the owner is still the one that was read.
  const lateUntil = copy.owner === undefined ? undefined : copy.dueAt;
  return wake(copy, 'copy', now, { set: { canceled: true, lateUntil }, if: [equals('dueAt', copy.dueAt)] });
}

/** The dispatch stage erases: it alone knows where the events went. */
function purgeOutbox({ request, outbox }: TrackedRequest, now: number): Woken {
  return wake({ ...outboxOf(request.requestId), dueAt: outbox?.dueAt }, 'dispatch', now, {
    set: { purge: true },
    remove: ['expiresAt'],
    if: [present('pk')],
  });
}
