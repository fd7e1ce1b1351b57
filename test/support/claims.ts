import type { Table } from '../../lambdas/adapters/dynamodb/table.ts';
import type { Hint, Lane, RowKey } from '../../lambdas/domain/work.ts';
import type { Claim } from '../../lambdas/engine/claim-writes.ts';
import { type Claims, createClaims } from '../../lambdas/engine/claims.ts';
import { passLagTime } from './lagging-reads.ts';

/** A clock that tests turn. */
export type TestClock = { now: () => number; advance: (ms: number) => void };

export function testClock(start = Date.parse('2026-11-23T20:00:00.000Z')): TestClock {
  let time = start;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
      passLagTime(ms);
    },
  };
}

/** A clock that moves by 1 ms at each read, so that two reads never give the same time. */
export function movingClock(start?: number): TestClock {
  const clock = testClock(start);
  return {
    ...clock,
    now: () => {
      clock.advance(1);
      return clock.now();
    },
  };
}

/** Claims with nonces that count. */
export function testClaims(table: Table, clock: TestClock): Claims {
  let nonces = 0;
  return createClaims(table, clock.now, () => `nonce-${++nonces}`);
}

/** Claims a row that must be claimable. */
export async function claimed<T extends RowKey>(claims: Claims, lane: Lane, hint: Hint): Promise<Claim<T>> {
  const claim = await claims.claim<T>(lane, hint);
  if (claim === 'gone' || claim === 'parked') throw new Error(`the claim of ${hint.pk} found it ${claim}`);
  return claim;
}
