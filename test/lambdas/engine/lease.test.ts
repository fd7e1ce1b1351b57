import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LEASE_MS } from '../../../lambdas/domain/work.ts';
import type { Claim } from '../../../lambdas/engine/claim-writes.ts';
import { holdLease, Stopped } from '../../../lambdas/engine/lease.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const now = () => Date.now();
const claim = (): Claim => ({
  row: { pk: 'P', sk: 'S' },
  lane: 'copy',
  nonce: 'n',
  hintedAt: 0,
  leaseEnd: now() + LEASE_MS,
  claimsWithoutProgress: 0,
});

function hold(renew: (claim: Claim) => Promise<boolean>, deadline = Number.POSITIVE_INFINITY) {
  const held = claim();
  return { held, lease: holdLease(held, { claims: { renew }, now, deadline }) };
}

test('work of any length keeps its row as long as renewals succeed', async () => {
  const { lease } = hold(async (held) => {
    held.leaseEnd = now() + LEASE_MS;
    return true;
  });
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect(lease.signal.aborted).toBe(false);
  lease.end();
});

test('work stops before its lease ends when the table is out of reach', async () => {
  const { held, lease } = hold(async () => {
    throw new Error('unreachable');
  });
  while (!lease.signal.aborted) await vi.advanceTimersByTimeAsync(1_000);
  expect(held.leaseEnd - now()).toBeGreaterThanOrEqual(5_000);
  lease.end();
});

test('work stops before its lease ends when a renewal hangs', async () => {
  const { held, lease } = hold(() => new Promise(() => {}));
  while (!lease.signal.aborted) await vi.advanceTimersByTimeAsync(1_000);
  expect(held.leaseEnd - now()).toBeGreaterThanOrEqual(5_000);
  lease.end();
});

test("work stops when the row is another worker's", async () => {
  const { lease } = hold(async () => false);
  while (!lease.signal.aborted) await vi.advanceTimersByTimeAsync(1_000);
  expect(lease.signal.reason).toMatchObject({ why: 'lost' });
  lease.end();
});

test("work stops at its worker's deadline, which is no failure of the row", async () => {
  const { lease } = hold(async () => true, now() + 12_000);
  await vi.advanceTimersByTimeAsync(12_000);
  expect(lease.signal.reason).toBeInstanceOf(Stopped);
  expect(lease.signal.reason).toMatchObject({ why: 'time' });
  lease.end();
});
