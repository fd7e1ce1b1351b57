import type { Condition, Write } from '../adapters/dynamodb/expression.ts';
import { type Due, type Hint, type Lane, LEASE_MS, PARKED, type RowKey, type Work } from '../domain/work.ts';
import { freshDueAt, retryAt } from './due-time.ts';

/** A row that this worker owns until `leaseEnd`. */
export type Claim<T extends RowKey = RowKey> = {
  readonly row: T & Work;
  readonly lane: Lane;
  readonly nonce: string;
  /** The due time that the hint named. */
  readonly hintedAt: number;
  /** Until when no other worker may claim it, ms since epoch; moved by a renewal. */
  leaseEnd: number;
  /** Set by the write that ends it: what fails later no longer changes the row. */
  ended?: boolean;
  /** Earlier claims in a row that ended without progress. */
  readonly claimsWithoutProgress: number;
};

/** What a worker changes of its row when it ends its claim. */
export type Change = {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
};

/** What a worker changes of a row that it makes due again; by default in the lane that it was claimed from. */
export type AgainChange = Change & { readonly lane?: Lane };

/** A write that ends or extends a claim, and what follows from it once it is committed. */
export type ClaimWrite = {
  readonly write: Write;
  /** The row as it is due again. */
  readonly due?: Due;
  /** Until when the claim is kept, ms since epoch. */
  readonly leaseEnd?: number;
};
type AgainWrite = ClaimWrite & { readonly due: Due };
type LeaseWrite = ClaimWrite & { readonly leaseEnd: number };

/** Attributes that a claim adds to its row, and that are removed when it ends. */
const ENDED = ['owner', 'claims', 'lastFailure'];

/** The condition that the row is still this worker's. */
export const owned = (claim: Claim): Condition => ({ attribute: 'owner', is: '=', value: claim.nonce });

/** The write that claims the row that a hint names, and the end of the lease. */
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
export const removeWrite = (claim: Claim): ClaimWrite => ({
  write: { delete: claim.row, if: [owned(claim)] },
});

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
