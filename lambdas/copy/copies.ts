import { absent, type Condition, equals, present } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import { ConditionFailed, type Table, type Write } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { eventWrites } from '../adapters/rows/outbox.ts';
import { countWrites } from '../adapters/rows/request-counts.ts';
import {
  type CopyRow,
  type CopyTarget,
  type CopyUpload,
  type SegmentRow,
  supersededSegment,
} from '../domain/copying/copy.ts';
import { segmentParts } from '../domain/copying/copy-plan.ts';
import { MAX_RESTARTS, restartAt, URL_WAIT_MS, WATCH_MS } from '../domain/copying/copy-retries.ts';
import type { EventDraft } from '../domain/events/event.ts';
import { type RequestRow, requestList, type Video } from '../domain/requests/request.ts';
import { countChanges } from '../domain/requests/request-counts.ts';
import { eventExpiry, finishedExpiry, requestExpiry } from '../domain/retention.ts';
import { copyKey, metaKey, objectKey, requestKey, segmentKey } from '../domain/rows.ts';
import { type Due, dueOf } from '../domain/work.ts';
import {
  againWrite,
  type Claim,
  type Claims,
  type ClaimWrite,
  finishWrite,
  owned,
} from '../engine/claims.ts';
import { wake, withdraw } from '../engine/wake.ts';

export type Copies = ReturnType<typeof createCopies>;

/** Of the copy as a whole, or of one of its segments. */
type CopyClaim = Claim<CopyRow> | Claim<SegmentRow>;

/** How a copy ends that had something to tell. */
export type CopyOutcome = {
  readonly state: 'stored' | 'failed';
  readonly video: Video;
  readonly event: EventDraft;
  /** What else changes on the copy's row. */
  readonly row?: Partial<CopyRow>;
};

/**
 * What the copy stage writes, each as one transaction that can be repeated: the second writer finds its
 * condition false. What became due is returned, for the caller to hint after the commit.
 */
export function createCopies(options: {
  table: Table;
  claims: Pick<Claims, 'again' | 'commit'>;
  now: () => number;
  retentionDays: number;
}) {
  const { table, claims, now, retentionDays } = options;

  const get = (requestId: string): Promise<CopyRow | undefined> => table.get<CopyRow>(copyKey(requestId));

  /**
   * Reserves a key for the copy, and gives back the one it had; false when another copy has it. The
   * row notes the key in the same write, so the worker that ends the copy knows what is reserved.
   */
  async function reserve(claim: Claim<CopyRow>, target: CopyTarget): Promise<boolean> {
    const { requestId, target: had } = claim.row;
    if (had?.bucket === target.bucket && had.key === target.key) return true;
    try {
      await table.transact([
        { update: claim.row, set: { target }, if: [owned(claim)] },
        { put: { ...objectKey(target.bucket, target.key), requestId }, if: [absent('pk')] },
        ...freed(had),
      ]);
    } catch (error) {
      if (!(error instanceof ConditionFailed) || firstRefused(error)) throw error;
      return false;
    }
    claim.row.target = target;
    return true;
  }

  /** Leaves the copy for a later claim at `at`, ms since epoch. */
  const again = (claim: Claim<CopyRow>, at: number, set: Partial<CopyRow> = {}): Promise<Due | undefined> =>
    claims.again(claim, at, { set });

  /**
   * Commits the plan: the segments become due, and the copy waits for them. Their rows replace any of the
   * same keys that an earlier copy of the request left: expiry deletes rows in no order.
   */
  async function commitPlan(claim: Claim<CopyRow>, upload: CopyUpload): Promise<Due[]> {
    const { requestId, generation } = claim.row;
    const at = now();
    const parts = Math.ceil(upload.size / upload.partSize);
    const segments = Array.from({ length: upload.segments }, (_, segment) => {
      const [firstPart, lastPart] = segmentParts(segment, { parts, segments: upload.segments });
      const work = { lane: 'copy', dueAt: at, state: 'open', copiedBytes: 0, bytesPerSecond: 0 } as const;
      const key = segmentKey(requestId, generation, segment);
      return { ...key, requestId, generation, segment, firstPart, lastPart, ...work } satisfies SegmentRow;
    });
    const planned = againWrite(claim, at + WATCH_MS, {
      set: { state: 'copying', upload, open: segments.length },
      remove: ['consecutiveFailures'],
    });
    await claims.commit(claim, planned, [
      ...segments.map((put): Write => ({ put })),
      { update: requestKey(requestId), set: { video: begun(upload.size) }, if: [present('pk')] },
    ]);
    return [planned.due, ...segments.map(dueOf)];
  }

  /**
   * Asks the poll stage for a fresh URL at `at`, unless that was done already; the copy gives up a day
   * later when none has come.
   *
   * @param options.consecutiveFailures including the refusal of the present URL, if it was refused
   */
  async function askForUrl(
    copy: CopyRow,
    { at, consecutiveFailures }: { at: number; consecutiveFailures?: number },
    claim?: Claim<CopyRow>,
  ): Promise<(Due | undefined)[]> {
    const until = at + URL_WAIT_MS;
    const set = { urlWantedSince: now(), consecutiveFailures };
    const key = requestKey(copy.requestId);
    const request = (await table.get<RequestRow>(key)) ?? key;
    const waiting = claim
      ? againWrite(claim, until, { set })
      : wake(copy, 'copy', until, {
          set,
          if: [...same(copy), equals('source.version', copy.source.version), absent('urlWantedSince')],
        });
    const poll = wake(request, 'poll', at, { set: { urlWanted: true }, if: [present('pk')] });
    try {
      await table.transact([waiting.write, poll.write]);
      return [waiting.due, poll.due];
    } catch (error) {
      if (claim || !(error instanceof ConditionFailed)) throw error;
      return [];
    }
  }

  /**
   * Begins again from the first byte as a new generation, whose planning aborts the old upload first;
   * after too many times the copy has failed for `reason`.
   */
  async function restart(
    claim: CopyClaim,
    copy: CopyRow,
    { reason, streamed }: { reason: string; streamed: boolean },
  ): Promise<(Due | undefined)[]> {
    if (copy.restarts >= MAX_RESTARTS) {
      return fail(claim, copy, `${reason}, ${MAX_RESTARTS + 1} times in a row`);
    }
    const restarts = copy.restarts + 1;
    return override(claim, copy, restartAt(restarts, now()), {
      set: {
        state: 'pending',
        generation: copy.generation + 1,
        restarts,
        ...(streamed ? { streamed } : {}),
      },
      remove: ['upload', 'open', 'content', 'urlWantedSince', 'consecutiveFailures'],
    });
  }

  /** Decides that the copy has failed; its next claim cleans up and says so. */
  const fail = (claim: CopyClaim, copy: CopyRow, reason: string): Promise<(Due | undefined)[]> =>
    override(claim, copy, now(), { set: { failure: reason } });

  /**
   * Changes the copy and makes it due at `at`, and ends the claim that found the reason, in one
   * transaction: a worker that has lost its row knows too little. If the copy has moved on, only the
   * segment ends.
   */
  async function override(
    claim: CopyClaim,
    copy: CopyRow,
    at: number,
    change: { set: Partial<CopyRow>; remove?: string[] },
  ): Promise<(Due | undefined)[]> {
    if (!ofSegment(claim)) {
      return [await claims.commit(claim, againWrite(claim, at, change))];
    }
    const ended = finishWrite(claim, { set: supersededSegment(expiry()) });
    const { write, due } = wake(copy, 'copy', at, { ...change, if: [...same(copy), absent('failure')] });
    try {
      await claims.commit(claim, ended, [write]);
      return [due];
    } catch (error) {
      if (!(error instanceof ConditionFailed) || firstRefused(error)) throw error;
      await claims.commit(claim, ended);
      return [];
    }
  }

  /**
   * Ends the copy and its request in one transaction with the event; the numbers go on from where the
   * poll stage has brought them. `stopped` when the request was stopped: then nothing is
   * written.
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
    finishWrite(claim, { set: { ...set, expiresAt: expiry() }, remove: ['urlWantedSince'] });

  const begun = (size: number | undefined): Video => ({
    state: 'copying',
    size,
    copiedBytes: 0,
    bytesPerSecond: 0,
    measuredAt: now(),
  });

  /** Shows that bytes come, for a copy without a plan. */
  async function showBeginning(requestId: string, size: number | undefined): Promise<void> {
    await writeIf(table, { update: requestKey(requestId), set: { video: begun(size) }, if: [present('pk')] });
  }

  /** Shows why a copy waits, until it makes progress. */
  async function showFailure(requestId: string, reason: string): Promise<void> {
    await writeIf(table, {
      update: requestKey(requestId),
      set: { 'video.lastError': { at: now(), reason } },
      if: [present('video.state'), absent('video.storedAt'), absent('video.error')],
    });
  }

  const expiry = (): number => finishedExpiry(now(), retentionDays);

  return {
    get,
    reserve,
    again,
    commitPlan,
    askForUrl,
    restart,
    fail,
    end,
    cancel,
    showBeginning,
    showFailure,
  };
}

/** Frees the key of a copy that has ended; the object itself holds it, if there is one. */
const freed = (key: CopyTarget | undefined): Write[] =>
  key ? [{ delete: objectKey(key.bucket, key.key) }] : [];

const ofSegment = (claim: CopyClaim): claim is Claim<SegmentRow> => 'segment' in claim.row;

/** That the copy is still where it was when it was read. */
export const same = (copy: CopyRow): Condition[] => [
  equals('generation', copy.generation),
  equals('state', copy.state),
  absent('canceled'),
];
