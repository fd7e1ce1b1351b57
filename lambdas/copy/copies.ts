import { present, type Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { CopyRow, CopyUpload, SegmentRow } from '../domain/copying/copy.ts';
import { segmentParts } from '../domain/copying/copy-plan.ts';
import { WATCH_MS } from '../domain/copying/copy-retries.ts';
import { copyKey, requestKey, segmentKey } from '../domain/rows.ts';
import { type Due, dueOf } from '../domain/work.ts';
import { againWrite, type Claim } from '../engine/claim-writes.ts';
import type { Claims } from '../engine/claims.ts';
import { createCommitEnd } from './commit-end.ts';
import { createCopyChange } from './copy-change.ts';
import { createKeyReservation } from './key-reservation.ts';
import { begunVideo } from './shown-copy.ts';
import { createUrlRequest } from './url-request.ts';

export type Copies = ReturnType<typeof createCopies>;

/**
 * What the copy stage writes, each as one transaction that can be repeated: the second writer finds its
 * condition false. What became due is returned, for the caller to hint after the commit.
 */
export function createCopies(options: {
  table: Table;
  claims: Pick<Claims, 'commit'>;
  now: () => number;
  retentionDays: number;
}) {
  const { table, claims, now } = options;

  const get = (requestId: string): Promise<CopyRow | undefined> => table.get<CopyRow>(copyKey(requestId));

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
      { update: requestKey(requestId), set: { video: begunVideo(upload.size, at) }, if: [present('pk')] },
    ]);
    return [planned.due, ...segments.map(dueOf)];
  }

  return {
    get,
    commitPlan,
    ...createKeyReservation(table),
    ...createUrlRequest(options),
    ...createCopyChange(options),
    ...createCommitEnd(options),
  };
}
