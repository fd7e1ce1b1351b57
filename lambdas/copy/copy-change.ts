import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, type Condition, equals } from '../adapters/dynamodb/expression.ts';
import { firstRefused } from '../adapters/dynamodb/optimistic.ts';
import { type CopyRow, type SegmentRow, supersededSegment } from '../domain/copying/copy.ts';
import { MAX_RESTARTS, restartAt } from '../domain/copying/copy-retries.ts';
import { finishedExpiry } from '../domain/retention.ts';
import type { Due } from '../domain/work.ts';
import { againWrite, type Claim, finishWrite } from '../engine/claim-writes.ts';
import type { Claims } from '../engine/claims.ts';
import { wake } from '../engine/wake.ts';

/** Of the copy as a whole, or of one of its segments. */
type CopyClaim = Claim<CopyRow> | Claim<SegmentRow>;

/** What a worker decides for the whole copy, whether it holds the copy or one of its segments. */
export function createCopyChange(options: {
  claims: Pick<Claims, 'commit'>;
  now: () => number;
  retentionDays: number;
}) {
  const { claims, now, retentionDays } = options;

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
      return fail(claim, copy, `${reason}; the copy had begun again ${MAX_RESTARTS} times`);
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
   * Changes the copy, makes it due at `at`, and ends the claim that found the reason, in one transaction.
   * A worker that lost its row must not change the copy. If the copy has moved on, only the segment ends.
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
    const ended = finishWrite(claim, { set: supersededSegment(finishedExpiry(now(), retentionDays)) });
    const { write, due } = wake(copy, 'copy', at, { ...change, if: same(copy) });
    try {
      await claims.commit(claim, ended, [write]);
      return [due];
    } catch (error) {
      if (!(error instanceof ConditionFailed) || firstRefused(error)) throw error;
      await claims.commit(claim, ended);
      return [];
    }
  }

  return { restart, fail };
}

const ofSegment = (claim: CopyClaim): claim is Claim<SegmentRow> => 'segment' in claim.row;

/** That the copy is still where it was when it was read, and goes on. */
export const same = (copy: CopyRow): Condition[] => [
  equals('generation', copy.generation),
  equals('state', copy.state),
  absent('canceled'),
  absent('failure'),
];
