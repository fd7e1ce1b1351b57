import { type Condition, ConditionFailed, type Table, type Write } from '../adapters/dynamodb/table.ts';
import {
  freshDueAt,
  type Hint,
  LEASE_MS,
  MAX_CLAIMS,
  PARKED,
  type RowKey,
  retryAt,
  type Work,
} from '../domain/work.ts';

/** A row that this worker owns until `leaseEnd`. */
export type Claim<T extends RowKey = RowKey> = {
  readonly row: T & Work;
  readonly lane: string;
  readonly nonce: string;
  /** The due time that the hint named. */
  readonly hintedAt: number;
  /** Until when nobody else may claim it, ms since epoch; moved by a renewal. */
  leaseEnd: number;
  /** Earlier claims that ended without a word. */
  readonly silentClaims: number;
};

/** What the work leaves of its row. A `dueAt` makes it due again; without one nothing is left to do. */
export type Release = {
  readonly dueAt?: number;
  /** The lane to be due in; by default the one it was claimed from. */
  readonly lane?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
};

export type Claims = ReturnType<typeof createClaims>;

/** Claims, leases and releases of rows (see domain/work.ts for the rule). */
export function createClaims(table: Table, now: () => number, newNonce: () => string) {
  /**
   * Claims the row that a hint names. `gone` when the hint is out of date: done, claimed by another
   * or due at another time. `parked` when it had been claimed too often without a word.
   */
  async function claim<T extends RowKey>(lane: string, hint: Hint): Promise<Claim<T> | 'gone' | 'parked'> {
    const nonce = newNonce();
    const leaseEnd = freshDueAt(now() + LEASE_MS, hint.dueAt);
    let row: (T & Work) | undefined;
    try {
      row = await table.write<T & Work>({
        update: { pk: hint.pk, sk: hint.sk },
        set: { owner: nonce, dueAt: leaseEnd },
        add: { claims: 1 },
        if: [
          { attribute: 'lane', is: '=', value: lane },
          { attribute: 'dueAt', is: '=', value: hint.dueAt },
        ],
      });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const old = error.rows.get(0) as (T & Work) | undefined;
      if (old?.owner !== nonce) return 'gone';
      row = old; // The answer to the first try was lost, and the SDK tried again.
    }
    if (!row) return 'gone';
    const claimed = { row, lane, nonce, hintedAt: hint.dueAt, leaseEnd, silentClaims: (row.claims ?? 1) - 1 };
    if (claimed.silentClaims < MAX_CLAIMS) return claimed;
    await park(claimed, `claimed ${MAX_CLAIMS} times without finishing: the work crashes or times out`);
    return 'parked';
  }

  /**
   * Lets the row that a hint names be due later, by one write and without a claim; says when.
   * Undefined when the hint is out of date; `unfit` when the row is not as `fit` demands.
   */
  async function putOff(
    lane: string,
    hint: Hint,
    until: number,
    fit: readonly Condition[] = [],
  ): Promise<number | 'unfit' | undefined> {
    const dueAt = freshDueAt(until, hint.dueAt);
    try {
      await table.write({
        update: hint,
        set: { dueAt },
        remove: ['owner', 'claims'],
        if: [
          { attribute: 'lane', is: '=', value: lane },
          { attribute: 'dueAt', is: '=', value: hint.dueAt },
          ...fit,
        ],
      });
      return dueAt;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const row = error.rows.get(0);
      // The answer to the first try may have been lost, and the SDK have tried again.
      if (row?.dueAt === dueAt) return dueAt;
      return row?.lane === lane && row.dueAt === hint.dueAt ? 'unfit' : undefined;
    }
  }

  /** Extends the lease; false when the row is no longer this worker's, and its work must stop. */
  async function renew(claim: Claim): Promise<boolean> {
    const leaseEnd = freshDueAt(now() + LEASE_MS, claim.leaseEnd, claim.hintedAt);
    const renewed = await settle(claim, { update: claim.row, set: { dueAt: leaseEnd }, if: [owned(claim)] });
    if (renewed) claim.leaseEnd = leaseEnd;
    return renewed;
  }

  /** Ends the work by a single write; false when the row is no longer this worker's. */
  async function release(claim: Claim, change: Release): Promise<boolean> {
    return settle(claim, releaseWrite(claim, change));
  }

  /** Leaves work that was not begun: due again at once, and the claim is not counted. */
  async function giveBack(claim: Claim): Promise<number | undefined> {
    const dueAt = freshDueAt(now(), claim.leaseEnd, claim.hintedAt);
    const write: Write = {
      update: claim.row,
      set: { dueAt, releasedBy: claim.nonce },
      add: { claims: -1 },
      remove: ['owner'],
      if: [owned(claim)],
    };
    return (await settle(claim, write)) ? dueAt : undefined;
  }

  /** Gives up after an unexpected error: due again after a backoff, and the claim stays counted. */
  async function retry(claim: Claim): Promise<number | undefined> {
    const dueAt = freshDueAt(retryAt(claim.silentClaims + 1, now()), claim.leaseEnd, claim.hintedAt);
    const write: Write = {
      update: claim.row,
      set: { dueAt, releasedBy: claim.nonce },
      remove: ['owner'],
      if: [owned(claim)],
    };
    return (await settle(claim, write)) ? dueAt : undefined;
  }

  /** Leaves the row to a person: no tick wakes it. */
  async function park(claim: Claim, reason: string): Promise<boolean> {
    const parked = { reason, since: now(), lane: claim.lane };
    return release(claim, { lane: PARKED, dueAt: now(), set: { parked } });
  }

  async function settle(claim: Claim, write: Write): Promise<boolean> {
    try {
      await writeOnce(table, claim, write);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  return { claim, putOff, renew, release, giveBack, retry, park };
}

/**
 * A single write that ends a claim. When its answer was lost and the SDK tried it again, the row says
 * that it was done. Throws {@link ConditionFailed} when the row is no longer this worker's.
 */
export async function writeOnce(table: Pick<Table, 'write'>, claim: Claim, write: Write): Promise<void> {
  try {
    await table.write(write);
  } catch (error) {
    const done = error instanceof ConditionFailed && error.rows.get(0)?.releasedBy === claim.nonce;
    if (!done) throw error;
  }
}

/** Ends the work by a single write, which throws when the row is no longer this worker's. */
export const releaseOnce = (table: Pick<Table, 'write'>, claim: Claim, change: Release): Promise<void> =>
  writeOnce(table, claim, releaseWrite(claim, change));

/** The clause by which a write demands that the row is still this worker's. */
export const owned = (claim: Claim): Condition => ({ attribute: 'owner', is: '=', value: claim.nonce });

/** The due time that a release of this claim will set when `wanted` is asked for; what its hint must name. */
export const dueAfter = (claim: Claim, wanted: number): number =>
  freshDueAt(wanted, claim.leaseEnd, claim.hintedAt);

/**
 * The write that ends a claim, alone or in a transaction. It resets the count of silent claims,
 * since the work gave word of itself.
 */
export function releaseWrite(claim: Claim, change: Release): Write {
  const { dueAt, lane = claim.lane, set = {}, remove = [] } = change;
  const waits = dueAt !== undefined;
  return {
    update: claim.row,
    set: {
      ...set,
      releasedBy: claim.nonce,
      ...(waits ? { lane, dueAt: dueAfter(claim, dueAt) } : {}),
    },
    remove: ['owner', 'claims', ...(waits ? [] : ['lane', 'dueAt']), ...remove],
    if: [owned(claim)],
  };
}
