import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import type { Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { Due, Hint, Lane, RowKey, Work } from '../domain/work.ts';
import {
  type AgainChange,
  againWrite,
  type Change,
  type Claim,
  type ClaimWrite,
  claimWrite,
  finishWrite,
  owned,
  parkWrite,
  progressWrite,
  removeWrite,
  renewWrite,
  retryWrite,
  unclaimWrite,
} from './claim-writes.ts';
import { MAX_CLAIMS } from './due-time.ts';

export type Claims = ReturnType<typeof createClaims>;

/**
 * Claims of rows, and the only place that ends or extends them (domain/work.ts has the rule). Every write
 * demands that the row is still this worker's.
 *
 * @param now ms since epoch
 * @param newNonce a fresh nonce for each claim
 */
export function createClaims(table: Table, now: () => number, newNonce: () => string) {
  /**
   * Claims the row that a hint names. `gone` when the hint is out of date: the work is done, claimed by
   * another worker or due at another time. `parked` when too many claims in a row made no progress.
   */
  async function claim<T extends RowKey>(lane: Lane, hint: Hint): Promise<Claim<T> | 'gone' | 'parked'> {
    const nonce = newNonce();
    const { write, leaseEnd } = claimWrite(lane, hint, nonce, now());
    let row: (T & Work) | undefined;
    try {
      row = await table.write<T & Work>(write);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const old = error.rows.get(0) as (T & Work) | undefined;
      if (old?.owner !== nonce) return 'gone';
      row = old; // The answer to the first try was lost, and the SDK tried again.
    }
    if (!row) return 'gone';
    const claimsWithoutProgress = (row.claims ?? 1) - 1;
    const claimed = { row, lane, nonce, hintedAt: hint.dueAt, leaseEnd, claimsWithoutProgress };
    if (claimsWithoutProgress < MAX_CLAIMS) return claimed;
    return (await park(claimed, withoutProgress(row))) ? 'parked' : 'gone';
  }

  /** Ends the claim; the row is due again at `at`. Undefined when the row is no longer this worker's. */
  async function again(claim: Claim, at: number, change: AgainChange = {}): Promise<Due | undefined> {
    const again = againWrite(claim, at, change);
    return (await settled(claim, again)) ? again.due : undefined;
  }

  /** Ends the claim; nothing is left to do. False when the row is no longer this worker's. */
  async function finish(claim: Claim, change: Change = {}): Promise<boolean> {
    return settled(claim, finishWrite(claim, change));
  }

  /** Ends the claim and deletes its row, with the others. Throws {@link ConditionFailed} as {@link commit} does. */
  async function remove(claim: Claim, others: readonly Write[] = []): Promise<void> {
    await commit(claim, removeWrite(claim), others);
  }

  /**
   * Applies a claim's own write, in one transaction with the others, and returns what is due by it. Throws
   * {@link ConditionFailed} with index 0 when the row is no longer this worker's.
   */
  async function commit(
    claim: Claim,
    { write, due, leaseEnd }: ClaimWrite,
    others: readonly Write[] = [],
  ): Promise<Due | undefined> {
    try {
      if (others.length === 0) await table.write(write, 'nothing');
      else await table.transact([write, ...others]);
    } catch (error) {
      // The answer to the first try was lost, and the SDK tried again: the row says that it was done.
      const done = error instanceof ConditionFailed && error.rows.get(0)?.releasedBy === claim.nonce;
      if (!done) throw error;
    }
    if (leaseEnd === undefined) claim.ended = true;
    else claim.leaseEnd = leaseEnd;
    return due;
  }

  /**
   * Records progress: keeps the lease and forgets the claims that made none. Throws
   * {@link ConditionFailed} when the row is no longer this worker's.
   */
  async function progress(claim: Claim, set: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await commit(claim, progressWrite(claim, now(), set));
  }

  /** Extends the lease; false when the row is no longer this worker's, and its work must stop. */
  async function renew(claim: Claim): Promise<boolean> {
    return settled(claim, renewWrite(claim, now()));
  }

  /** Ends a claim whose work was not begun: due again at once, and the claim is not counted. */
  async function unclaim(claim: Claim): Promise<Due | undefined> {
    const unclaimed = unclaimWrite(claim, now());
    return (await settled(claim, unclaimed)) ? unclaimed.due : undefined;
  }

  /**
   * Ends a claim whose work failed: due again after a backoff, and the claim stays counted.
   *
   * @param failure the class of the error, which is shown if the row is parked in the end
   */
  async function retry(claim: Claim, failure: string): Promise<Due | undefined> {
    const again = retryWrite(claim, failure, now());
    return (await settled(claim, again)) ? again.due : undefined;
  }

  /** Leaves the row to a person: no tick wakes it. False when the row is no longer this worker's. */
  async function park(claim: Claim, reason: string): Promise<boolean> {
    return settled(claim, parkWrite(claim, reason, now()));
  }

  async function settled(claim: Claim, own: ClaimWrite): Promise<boolean> {
    try {
      await commit(claim, own);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  /** Stores on the row what later claims must know. Throws {@link ConditionFailed} when the row is another worker's. */
  async function note<T extends RowKey>(claim: Claim<T>, set: Readonly<Partial<T>>): Promise<void> {
    await table.write({ update: claim.row, set, if: [owned(claim)] }, 'nothing');
    Object.assign(claim.row, set);
  }

  return { claim, again, finish, remove, commit, progress, note, renew, unclaim, retry, park };
}

function withoutProgress({ lastFailure }: Work): string {
  const last = lastFailure === undefined ? 'the worker crashes or times out' : `last error: ${lastFailure}`;
  return `claimed ${MAX_CLAIMS} times without progress (${last})`;
}
