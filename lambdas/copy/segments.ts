import { equals } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { type CopyRow, isCurrent, type SegmentRow, supersededSegment } from '../domain/copying/copy.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { copyKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import { type Claim, finishWrite } from '../engine/claim-writes.ts';
import type { Claims } from '../engine/claims.ts';
import { wake } from '../engine/wake.ts';
import { supersedeParked } from '../rows/parked-segments.ts';
import { same } from './copy-change.ts';

export type Segments = ReturnType<typeof createSegments>;

/** What a worker writes of its segment. */
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

  const expiry = (): number => finishedExpiry(now(), retentionDays);

  return { finishSegment, supersede, endParked, release, progress };
}
