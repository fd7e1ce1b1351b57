import { absent, type Condition, equals, present } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table, type Write } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { eventWrites } from '../adapters/rows/outbox.ts';
import { type CopyRow, type CopyUpload, type SegmentRow, supersededSegment } from '../domain/copying/copy.ts';
import { WATCH_MS } from '../domain/copying/copy-patience.ts';
import { segmentParts } from '../domain/copying/copy-plan.ts';
import type { EventDraft } from '../domain/events/event.ts';
import { type RequestRow, requestList, type Video } from '../domain/requests/request.ts';
import { eventExpiry, finishedExpiry } from '../domain/retention.ts';
import { copyKey, metaKey, objectKey, requestKey, segmentKey } from '../domain/rows.ts';
import { freshDueAt, type Hint } from '../domain/work.ts';
import { type Claim, type Claims, dueAfter, owned, releaseWrite } from '../engine/claims.ts';

/** A due row of a lane, to be hinted after the commit. */
export type LaneHint = { readonly lane: 'copy' | 'poll' | 'dispatch'; readonly hint: Hint };

export type Copies = ReturnType<typeof createCopies>;

/** Of the copy as a whole, or of one of its segments. */
type CopyClaim = Claim<CopyRow> | Claim<SegmentRow>;
type Place = { readonly bucket: string; readonly key: string };

/** New generations that one copy may begin; then it has failed. */
export const MAX_RESTARTS = 5;
const TRIES = 20;

/**
 * What the copy stage writes, each as one transaction that can be repeated: whoever comes second
 * finds its condition false. Hints are returned, for the caller to send after the commit.
 */
export function createCopies(options: {
  table: Table;
  claims: Pick<Claims, 'release'>;
  now: () => number;
  retentionDays: number;
}) {
  const { table, claims, now, retentionDays } = options;

  const get = (requestId: string): Promise<CopyRow | undefined> => table.get<CopyRow>(copyKey(requestId));

  /**
   * Reserves a key for the copy, and gives back the one it had; false when another copy has it. The
   * row notes the key in the same write, so what is reserved is known to whoever ends the copy.
   */
  async function reserve(claim: Claim<CopyRow>, target: Place): Promise<boolean> {
    const { requestId, target: had } = claim.row;
    if (had?.bucket === target.bucket && had.key === target.key) return true;
    try {
      await table.transact([
        { update: claim.row, set: { target }, if: [owned(claim)] },
        { put: { ...objectKey(target.bucket, target.key), requestId }, if: [absent('pk')] },
        ...freed(had),
      ]);
    } catch (error) {
      if (!(error instanceof ConditionFailed) || error.failed.includes(0)) throw error;
      return false;
    }
    claim.row.target = target;
    return true;
  }

  /** Notes on the claimed row what later claims must know. */
  async function note(claim: Claim<CopyRow>, set: Partial<CopyRow>): Promise<void> {
    await table.write({ update: claim.row, set, if: [owned(claim)] });
    Object.assign(claim.row, set);
  }

  /** Leaves the copy to be gone on with at `wanted`. */
  async function released(claim: Claim<CopyRow>, wanted: number, set: Partial<CopyRow>): Promise<LaneHint[]> {
    if (!(await claims.release(claim, { dueAt: wanted, set }))) return [];
    return [{ lane: 'copy', hint: { ...copyKey(claim.row.requestId), dueAt: dueAfter(claim, wanted) } }];
  }

  /** Commits the plan: the segments become due, and the copy waits for them. */
  async function planned(claim: Claim<CopyRow>, upload: CopyUpload): Promise<LaneHint[]> {
    const { requestId, generation } = claim.row;
    const at = now();
    const parts = Math.ceil(upload.size / upload.partSize);
    const segments = Array.from({ length: upload.segments }, (_, segment): SegmentRow => {
      const [firstPart, lastPart] = segmentParts(segment, { parts, segments: upload.segments });
      const work = { lane: 'copy', dueAt: at, state: 'open', copiedBytes: 0, bytesPerSecond: 0 } as const;
      const key = segmentKey(requestId, generation, segment);
      return { ...key, requestId, generation, segment, firstPart, lastPart, ...work };
    });
    const video: Video = {
      state: 'copying',
      size: upload.size,
      copiedBytes: 0,
      bytesPerSecond: 0,
      measuredAt: at,
    };
    await table.transact([
      releaseWrite(claim, {
        dueAt: at + WATCH_MS,
        set: { state: 'copying', upload, open: segments.length },
        remove: ['troubles', 'refusals'],
      }),
      ...segments.map((put): Write => ({ put, if: [absent('pk')] })),
      { update: requestKey(requestId), set: { video }, if: [present('pk')] },
    ]);
    return segments.map(({ pk, sk }) => ({ lane: 'copy', hint: { pk, sk, dueAt: at } }));
  }

  /**
   * Asks the poll stage for a fresh URL, unless somebody has already; the copy gives up at `until`
   * when none has come. `refused` tells whether the source turned the present one down.
   */
  async function askForUrl(
    copy: CopyRow,
    { until, refusals }: { until: number; refusals?: number },
    claim?: Claim<CopyRow>,
  ): Promise<LaneHint[]> {
    const at = now();
    const set = { urlWantedSince: at, refusals };
    const asked: Write = claim
      ? releaseWrite(claim, { dueAt: until, set })
      : {
          update: copyKey(copy.requestId),
          set: { ...set, lane: 'copy', dueAt: freshDueAt(until, copy.dueAt) },
          remove: ['owner', 'claims'],
          if: [...same(copy), equals('source.version', copy.source.version), absent('urlWantedSince')],
        };
    const request = requestKey(copy.requestId);
    const wake: Write = {
      update: request,
      set: { lane: 'poll', dueAt: at, urlWanted: true },
      remove: ['owner', 'claims'],
      if: [present('pk')],
    };
    try {
      await table.transact([asked, wake]);
    } catch (error) {
      if (claim || !(error instanceof ConditionFailed)) throw error;
      return [];
    }
    return [{ lane: 'poll', hint: { ...request, dueAt: at } }];
  }

  /**
   * Begins a new generation, whose planning aborts the old upload first; after too many the copy has
   * failed for `reason`.
   */
  async function restart(claim: CopyClaim, copy: CopyRow, reason: string): Promise<LaneHint[]> {
    if (copy.restarts >= MAX_RESTARTS)
      return fail(claim, copy, `${reason}, ${MAX_RESTARTS + 1} times in a row`);
    const { generation, restarts } = copy;
    return interfere(claim, copy, {
      set: { state: 'pending', generation: generation + 1, restarts: restarts + 1 },
      remove: ['upload', 'open', 'content', 'urlWantedSince', 'troubles'],
    });
  }

  /** Decides that the copy has failed; its next claim cleans up and says so. */
  const fail = (claim: CopyClaim, copy: CopyRow, reason: string): Promise<LaneHint[]> =>
    interfere(claim, copy, { set: { failure: reason }, remove: [] });

  /**
   * Changes the copy and makes it due, and ends the claim that found the reason, in one transaction: a
   * worker that has lost its row knows too little. Only the segment ends when the copy has moved on.
   */
  async function interfere(
    claim: CopyClaim,
    copy: CopyRow,
    { set, remove }: { set: Partial<CopyRow>; remove: string[] },
  ): Promise<LaneHint[]> {
    if (!ofSegment(claim)) {
      const dueAt = now();
      await table.write(releaseWrite(claim, { dueAt, set, remove }));
      return [{ lane: 'copy', hint: { ...copyKey(copy.requestId), dueAt: dueAfter(claim, dueAt) } }];
    }
    const ended = releaseWrite(claim, { set: supersededSegment(expiry()) });
    const dueAt = freshDueAt(now(), copy.dueAt);
    const changed: Write = {
      update: copyKey(copy.requestId),
      set: { ...set, lane: 'copy', dueAt },
      remove: ['owner', 'claims', ...remove],
      if: [...same(copy), absent('failure')],
    };
    try {
      await table.transact([ended, changed]);
      return [{ lane: 'copy', hint: { ...copyKey(copy.requestId), dueAt } }];
    } catch (error) {
      if (!(error instanceof ConditionFailed) || error.failed.includes(0)) throw error;
      await table.write(ended);
      return [];
    }
  }

  /**
   * Ends the copy and its request in one transaction with the event; the numbers go on from where
   * the poll stage is by now.
   */
  async function end(
    claim: Claim<CopyRow>,
    outcome: { state: 'stored' | 'failed'; video: Video; event: EventDraft },
  ): Promise<LaneHint[]> {
    const { requestId } = claim.row;
    for (let attempt = 1; ; attempt++) {
      const row = await table.get<RequestRow>(requestKey(requestId));
      if (!row) return endSilently(claim, outcome.state);
      const at = now();
      const draft = { ...outcome.event, data: { status: row.status, ...outcome.event.data } };
      const source = { kind: 'request', requestId } as const;
      const { writes, counters, due } = eventWrites(source, row, [draft], at, eventExpiry(at, retentionDays));
      const expiresAt = expiry();
      const request: Write = {
        update: requestKey(requestId),
        set: {
          ...counters,
          video: outcome.video,
          state: 'done',
          listKey: requestList('done'),
          expiresAt,
        },
        remove: ['lane', 'dueAt', 'owner', 'claims', 'urlWanted'],
        if: [equals('sequence', row.sequence), equals('position', row.position), equals('state', row.state)],
      };
      try {
        await table.transact([
          ...ended(claim, outcome.state),
          request,
          { update: metaKey(requestId), set: { expiresAt } },
          ...writes,
        ]);
        return due ? [{ lane: 'dispatch', hint: due }] : [];
      } catch (error) {
        const outnumbered = error instanceof ConditionFailed && !error.failed.includes(0);
        if (!outnumbered || attempt === TRIES) throw error;
      }
    }
  }

  /** Ends the copy of a request that nobody follows any more. */
  async function endSilently(claim: Claim<CopyRow>, state: CopyRow['state']): Promise<LaneHint[]> {
    const request = requestKey(claim.row.requestId);
    const video: Video = { state: 'failed', error: 'canceled' };
    const shown = (await table.get<RequestRow>(request))?.video !== undefined;
    await table.transact([
      ...ended(claim, state),
      ...(shown ? [{ update: request, set: { video }, if: [present('video')] }] : []),
    ]);
    return [];
  }

  /** The writes by which nothing is left to be done, and the key is free, or held by the object itself. */
  const ended = (claim: Claim<CopyRow>, state: CopyRow['state']): Write[] => [
    releaseWrite(claim, { set: { state, expiresAt: expiry() }, remove: ['urlWantedSince'] }),
    ...freed(claim.row.target),
  ];

  /** Shows that the bytes have begun to come, where no plan says it. */
  async function showBeginning(requestId: string, size: number | undefined): Promise<void> {
    const video: Video = { state: 'copying', size, copiedBytes: 0, bytesPerSecond: 0, measuredAt: now() };
    await writeIf(table, { update: requestKey(requestId), set: { video }, if: [present('pk')] });
  }

  const expiry = (): number => finishedExpiry(now(), retentionDays);

  return {
    get,
    reserve,
    note,
    released,
    planned,
    askForUrl,
    restart,
    fail,
    end,
    endSilently,
    showBeginning,
  };
}

const freed = (key: Place | undefined): Write[] => (key ? [{ delete: objectKey(key.bucket, key.key) }] : []);

const ofSegment = (claim: CopyClaim): claim is Claim<SegmentRow> => 'segment' in claim.row;

/** That the copy is still where it was when it was read. */
export const same = (copy: CopyRow): Condition[] => [
  equals('generation', copy.generation),
  equals('state', copy.state),
  absent('canceled'),
];
