import { equals } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { supersedeParked } from '../adapters/rows/parked-segments.ts';
import { type CopyRow, isCurrent, type SegmentRow, supersededSegment } from '../domain/copying/copy.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { copyKey, requestKey, segmentKey } from '../domain/rows.ts';
import { freshDueAt } from '../domain/work.ts';
import { type Claim, type Claims, dueAfter, owned, releaseWrite } from '../engine/claims.ts';
import { type LaneHint, same } from './copies.ts';

export type Segments = ReturnType<typeof createSegments>;

const TRIES = 20;

/** What a worker writes of its segment, and of the progress that all segments make together. */
export function createSegments(options: {
  table: Table;
  claims: Pick<Claims, 'release'>;
  now: () => number;
  retentionDays: number;
}) {
  const { table, claims, now, retentionDays } = options;

  /** Ends a segment whose parts are all stored; the last one makes the copy due for completion. */
  async function copied(claim: Claim<SegmentRow>, copiedBytes: number): Promise<LaneHint[]> {
    const { requestId } = claim.row;
    for (let attempt = 1; ; attempt++) {
      const copy = await table.get<CopyRow>(copyKey(requestId));
      if (!copy || !isCurrent(copy, claim.row)) return superseded(claim);
      const last = copy.open === 1;
      const dueAt = freshDueAt(now(), copy.dueAt);
      try {
        await table.transact([
          releaseWrite(claim, {
            set: { state: 'copied', copiedBytes, bytesPerSecond: 0, expiresAt: expiry() },
            remove: ['troubles'],
          }),
          {
            update: copyKey(requestId),
            set: last ? { open: 0, lane: 'copy', dueAt } : { open: (copy.open ?? 0) - 1 },
            ...(last ? { remove: ['owner', 'claims'] } : {}),
            if: [...same(copy), equals('open', copy.open)],
          },
        ]);
        return last ? [{ lane: 'copy', hint: { ...copyKey(requestId), dueAt } }] : [];
      } catch (error) {
        // Another segment of the same copy was counted at the same moment.
        const raced = error instanceof ConditionFailed && !error.failed.includes(0);
        if (!raced || attempt === TRIES) throw error;
      }
    }
  }

  /** Ends a segment of a generation, or of a copy, that is no more. */
  async function superseded(claim: Claim<SegmentRow>): Promise<LaneHint[]> {
    await claims.release(claim, { set: supersededSegment(expiry()) });
    return [];
  }

  /** Ends the segments of a copy that wait for a person, there being nothing to go on with. */
  const endParked = (requestId: string): Promise<void> => supersedeParked(table, requestId, expiry());

  /** Leaves a segment to be gone on with at `wanted`. */
  async function released(
    claim: Claim<SegmentRow>,
    wanted: number,
    { copiedBytes, troubles }: { copiedBytes: number; troubles: number | undefined },
  ): Promise<LaneHint[]> {
    const done = await claims.release(claim, {
      dueAt: wanted,
      set: { copiedBytes, bytesPerSecond: 0, troubles },
      remove: troubles === undefined ? ['troubles'] : [],
    });
    const { pk, sk } = claim.row;
    return done ? [{ lane: 'copy', hint: { pk, sk, dueAt: dueAfter(claim, wanted) } }] : [];
  }

  /** Notes how far a segment has come: a word of the work, so that the claims so far no longer count. */
  async function progress(
    claim: Claim<SegmentRow>,
    at: Pick<SegmentRow, 'copiedBytes' | 'bytesPerSecond'>,
  ): Promise<void> {
    const further = at.copiedBytes > claim.row.copiedBytes;
    await table.write({
      update: claim.row,
      set: at,
      remove: further ? ['claims'] : [],
      if: [owned(claim)],
    });
    claim.row.copiedBytes = at.copiedBytes;
  }

  /**
   * Shows the sum of the segments on the request's row, unless another worker has within `everyMs`.
   */
  async function showProgress(copy: CopyRow, everyMs: number): Promise<void> {
    const prefix = segmentKey(copy.requestId, copy.generation, 0).sk.replace(/[^#]*$/, '');
    const { rows } = await table.query<SegmentRow>({ partition: copy.pk, prefix, limit: 100 });
    const sum = (value: (row: SegmentRow) => number) => rows.reduce((total, row) => total + value(row), 0);
    const copiedBytes = sum((row) => row.copiedBytes);
    const bytesPerSecond = Math.round(sum((row) => (row.state === 'open' ? row.bytesPerSecond : 0)));
    await show(copy.requestId, { copiedBytes, bytesPerSecond }, everyMs);
  }

  /** Shows on the request's row how far its copy is, unless another worker has within `everyMs`. */
  async function show(
    requestId: string,
    { copiedBytes, bytesPerSecond }: Pick<SegmentRow, 'copiedBytes' | 'bytesPerSecond'>,
    everyMs: number,
  ): Promise<void> {
    const at = now();
    await writeIf(table, {
      update: requestKey(requestId),
      set: {
        'video.copiedBytes': copiedBytes,
        'video.bytesPerSecond': bytesPerSecond,
        'video.measuredAt': at,
      },
      if: [
        equals('video.state', 'copying'),
        { attribute: 'video.measuredAt', is: '<=', value: at - everyMs },
      ],
    });
  }

  const expiry = (): number => finishedExpiry(now(), retentionDays);

  return { copied, superseded, endParked, released, progress, showProgress, show };
}
