import { equals } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { type CopyRow, isCurrent, type SegmentRow, supersededSegment } from '../domain/copying/copy.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { copyKey, requestKey, segmentsPrefix } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import { type Claim, type Claims, finishWrite } from '../engine/claims.ts';
import { wake } from '../engine/wake.ts';
import { supersedeParked } from '../rows/parked-segments.ts';
import { same } from './copy-change.ts';

export type Segments = ReturnType<typeof createSegments>;

/** What a worker writes of its segment, and of the progress that all segments make together. */
export function createSegments(options: {
  table: Table;
  claims: Pick<Claims, 'again' | 'finish' | 'commit' | 'progress' | 'note'>;
  now: () => number;
  retentionDays: number;
}) {
  const { table, claims, now, retentionDays } = options;

  /** Ends a segment whose parts are all stored; the last one makes the copy due for completion. */
  async function finishSegment(claim: Claim<SegmentRow>, copiedBytes: number): Promise<Due | undefined> {
    const { requestId } = claim.row;
    return optimistic(
      async () => {
        const copy = await table.get<CopyRow>(copyKey(requestId));
        if (!copy || !isCurrent(copy, claim.row)) return supersede(claim);
        const asRead = [...same(copy), equals('open', copy.open)];
        const last =
          copy.open === 1 ? wake(copy, 'copy', now(), { set: { open: 0 }, if: asRead }) : undefined;
        const copied = { state: 'copied', copiedBytes, bytesPerSecond: 0, expiresAt: expiry() };
        await claims.commit(claim, finishWrite(claim, { set: copied, remove: ['consecutiveFailures'] }), [
          last?.write ?? { update: copyKey(requestId), set: { open: (copy.open ?? 0) - 1 }, if: asRead },
        ]);
        return last?.due;
      },
      { unless: firstRefused },
    );
  }

  /** Ends a segment after the end of its generation or its copy. */
  async function supersede(claim: Claim<SegmentRow>): Promise<undefined> {
    await claims.finish(claim, { set: supersededSegment(expiry()) });
  }

  /** Ends the segments of a copy that wait for a person, since there is nothing left to go on with. */
  const endParked = (requestId: string): Promise<void> => supersedeParked(table, requestId, expiry());

  /** Leaves a segment for a later claim at `at`, ms since epoch. */
  async function release(
    claim: Claim<SegmentRow>,
    at: number,
    { copiedBytes, consecutiveFailures }: { copiedBytes: number; consecutiveFailures: number | undefined },
  ): Promise<Due | undefined> {
    return claims.again(claim, at, {
      set: { copiedBytes, bytesPerSecond: 0, consecutiveFailures },
      remove: consecutiveFailures === undefined ? ['consecutiveFailures'] : [],
    });
  }

  /** Notes how far a segment has come. More bytes are progress: earlier claims no longer count. */
  async function progress(
    claim: Claim<SegmentRow>,
    at: Pick<SegmentRow, 'copiedBytes' | 'bytesPerSecond'>,
  ): Promise<void> {
    if (at.copiedBytes > claim.row.copiedBytes) await claims.progress(claim, at);
    else await claims.note(claim, at);
    claim.row.copiedBytes = at.copiedBytes;
  }

  /**
   * Shows the sum of the segments on the request's row, unless another worker has within `everyMs`.
   */
  async function showProgress(copy: CopyRow, everyMs: number): Promise<void> {
    const prefix = segmentsPrefix(copy.generation);
    const found = await table.query<SegmentRow>({ partition: copy.pk, prefix, limit: 100 });
    // An earlier copy of the request may have had more segments.
    const rows = found.rows.filter(({ segment }) => segment < (copy.upload?.segments ?? 0));
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
      remove: bytesPerSecond > 0 ? ['video.lastError'] : [],
      if: [
        equals('video.state', 'copying'),
        { attribute: 'video.measuredAt', is: '<=', value: at - everyMs },
      ],
    });
  }

  const expiry = (): number => finishedExpiry(now(), retentionDays);

  return { finishSegment, supersede, endParked, release, progress, showProgress, show };
}
