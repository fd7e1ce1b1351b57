import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import type { Condition, Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { type Due, type Hint, type Lane, LEASE_MS, PARKED, type RowKey, type Work } from '../domain/work.ts';
import { freshDueAt, MAX_CLAIMS, retryAt } from './due-time.ts';

/** A row that this worker owns until `leaseEnd`. */
export type Claim<T extends RowKey = RowKey> = {
  readonly row: T & Work;
  readonly lane: Lane;
  readonly nonce: string;
  /** The due time that the hint named. */
  readonly hintedAt: number;
  /** Until when no other worker may claim it, ms since epoch; moved by a renewal. */
  leaseEnd: number;
  /** Set by the write that ends it: what fails later changes the row no more. */
  ended?: boolean;
  /** Earlier claims in a row that ended without progress. */
  readonly claimsWithoutProgress: number;
};

/** What a worker changes of its row when it ends its claim. */
type Change = {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
};

/** What a worker changes of a row that it makes due again; by default in the lane that it was claimed from. */
export type AgainChange = Change & { readonly lane?: Lane };

/** A write that ends or extends a claim, and what follows from it once it is committed. */
export type ClaimWrite = {
  readonly write: Write & { readonly update: RowKey };
  /** The row as it is due again. */
  readonly due?: Due;
  /** Until when the claim is kept, ms since epoch. */
  readonly leaseEnd?: number;
};
type AgainWrite = ClaimWrite & { readonly due: Due };
type LeaseWrite = ClaimWrite & { readonly leaseEnd: number };

export type Claims = ReturnType<typeof createClaims>;

/**
 * Claims of rows, and the only writes that end or extend them (domain/work.ts has the rule). Every write
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
    await park(claimed, withoutProgress(row));
    return 'parked';
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

  /**
   * Applies a claim's own write, in one transaction with the others, and returns what is due by it. Throws
   * {@link ConditionFailed} with place 0 when the row is no longer this worker's.
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

  /** Notes on the row what later claims must know. Throws {@link ConditionFailed} when it is no longer this worker's. */
  async function note<T extends RowKey>(claim: Claim<T>, set: Readonly<Partial<T>>): Promise<void> {
    await table.write({ update: claim.row, set, if: [owned(claim)] }, 'nothing');
    Object.assign(claim.row, set);
  }

  return { claim, again, finish, commit, progress, note, renew, unclaim, retry, park };
}

/** Attributes that a claim adds to its row, and that are removed when it ends. */
const ENDED = ['owner', 'claims', 'lastFailure'];

/** The condition that the row is still this worker's. */
export const owned = (claim: Claim): Condition => ({ attribute: 'owner', is: '=', value: claim.nonce });

/** The write that claims the row that a hint names, and when the lease ends by it. */
export function claimWrite(
  lane: Lane,
  hint: Hint,
  nonce: string,
  now: number,
): { write: Write; leaseEnd: number } {
  const leaseEnd = freshDueAt(now + LEASE_MS, hint.dueAt);
  return {
    leaseEnd,
    write: {
      update: { pk: hint.pk, sk: hint.sk },
      set: { owner: nonce, dueAt: leaseEnd },
      add: { claims: 1 },
      if: [
        { attribute: 'lane', is: '=', value: lane },
        { attribute: 'dueAt', is: '=', value: hint.dueAt },
      ],
    },
  };
}

/** The write that ends a claim and makes the row due again, and the due time for its hint. */
export function againWrite(
  claim: Claim,
  at: number,
  { lane = claim.lane, set = {}, remove = [] }: AgainChange = {},
): AgainWrite {
  const due = dueAgain(claim, at, lane);
  return {
    due,
    write: {
      update: claim.row,
      set: { ...set, releasedBy: claim.nonce, lane, dueAt: due.dueAt },
      remove: [...ENDED, ...remove],
      if: [owned(claim)],
    },
  };
}

/** The write that ends a claim whose work is done. */
export function finishWrite(claim: Claim, { set = {}, remove = [] }: Change = {}): ClaimWrite {
  return {
    write: {
      update: claim.row,
      set: { ...set, releasedBy: claim.nonce },
      remove: [...ENDED, 'lane', 'dueAt', ...remove],
      if: [owned(claim)],
    },
  };
}

/** The write that records progress and keeps the claim. */
export function progressWrite(
  claim: Claim,
  now: number,
  set: Readonly<Record<string, unknown>> = {},
): LeaseWrite {
  const leaseEnd = freshDueAt(now + LEASE_MS, claim.leaseEnd, claim.hintedAt);
  return {
    leaseEnd,
    write: {
      update: claim.row,
      set: { ...set, dueAt: leaseEnd },
      remove: ['claims', 'lastFailure'],
      if: [owned(claim)],
    },
  };
}

/** The write that ends a claim and deletes its row. */
export const removeWrite = (claim: Claim): Write => ({ delete: claim.row, if: [owned(claim)] });

/** The write that extends a lease; the claims so far stay counted. */
export function renewWrite(claim: Claim, now: number): LeaseWrite {
  const leaseEnd = freshDueAt(now + LEASE_MS, claim.leaseEnd, claim.hintedAt);
  return { leaseEnd, write: { update: claim.row, set: { dueAt: leaseEnd }, if: [owned(claim)] } };
}

/** The write that ends a claim whose work was not begun. */
export function unclaimWrite(claim: Claim, now: number): AgainWrite {
  const { write, due } = uncommitted(claim, now);
  return { write: { ...write, add: { claims: -1 } }, due };
}

/** The write that ends a claim whose work failed. */
export const retryWrite = (claim: Claim, failure: string, now: number) =>
  uncommitted(claim, retryAt(claim.claimsWithoutProgress + 1, now), { lastFailure: failure });

/** The write that leaves a row to a person. */
export const parkWrite = (claim: Claim, reason: string, now: number): ClaimWrite => ({
  write: {
    update: claim.row,
    set: {
      lane: PARKED,
      dueAt: freshDueAt(now, claim.leaseEnd, claim.hintedAt),
      parked: { reason, since: now, lane: claim.lane },
      releasedBy: claim.nonce,
    },
    remove: ENDED,
    if: [owned(claim)],
  },
});

/** The write that ends a claim and keeps it counted. */
function uncommitted(claim: Claim, at: number, set: Readonly<Record<string, unknown>> = {}): AgainWrite {
  const due = dueAgain(claim, at, claim.lane);
  const write = {
    update: claim.row,
    set: { ...set, dueAt: due.dueAt, releasedBy: claim.nonce },
    remove: ['owner'],
    if: [owned(claim)],
  };
  return { write, due };
}

function dueAgain({ row, leaseEnd, hintedAt }: Claim, at: number, lane: Lane): Due {
  return { pk: row.pk, sk: row.sk, lane, dueAt: freshDueAt(at, leaseEnd, hintedAt) };
}

function withoutProgress({ lastFailure }: Work): string {
  const last = lastFailure === undefined ? 'the worker crashes or times out' : `last error: ${lastFailure}`;
  return `claimed ${MAX_CLAIMS} times without progress (${last})`;
}
