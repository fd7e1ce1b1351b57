import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { log } from '../../../lambdas/adapters/lambda/log.ts';
import { copyKey } from '../../../lambdas/domain/rows.ts';
import { LEASE_MS } from '../../../lambdas/domain/work.ts';
import type { Claim } from '../../../lambdas/engine/claim-writes.ts';
import { holdLease, Stopped } from '../../../lambdas/engine/lease.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const now = () => Date.now();
const claim = (): Claim => ({
  row: copyKey('some request'),
  lane: 'copy',
  nonce: 'n',
  hintedAt: 0,
  leaseEnd: now() + LEASE_MS,
  claimsWithoutProgress: 0,
});

function hold(
  renew: (claim: Claim) => Promise<boolean>,
  { deadline = Number.POSITIVE_INFINITY, onBeat }: { deadline?: number; onBeat?: () => Promise<void> } = {},
) {
  const held = claim();
  return { held, lease: holdLease(held, { claims: { renew }, now, deadline, onBeat }) };
}

async function renewed(held: Claim): Promise<boolean> {
  held.leaseEnd = now() + LEASE_MS;
  return true;
}

test('work of any length keeps its row as long as renewals succeed', async () => {
  const warn = vi.spyOn(log, 'warn');
  const { lease } = hold(renewed);
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect(lease.signal.aborted).toBe(false);
  expect(warn).not.toHaveBeenCalled();
  lease.end();
});

test('a lease is renewed at the first beat after twenty seconds of it have passed', async () => {
  const renew = vi.fn(renewed);
  const { lease } = hold(renew);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(renew).toHaveBeenCalledTimes(0);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(renew).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(renew).toHaveBeenCalledTimes(1);
  lease.end();
});

test('a lease that has ended is not renewed, and nothing stops what its signal is given to', async () => {
  const renew = vi.fn(renewed);
  const { lease } = hold(renew, { deadline: now() + 30_000 });
  lease.end();
  await vi.advanceTimersByTimeAsync(LEASE_MS);
  expect(renew).not.toHaveBeenCalled();
  expect(lease.signal.aborted).toBe(false);
});

test('what runs at each beat never runs twice at once', async () => {
  const ends: (() => void)[] = [];
  const onBeat = vi.fn(() => new Promise<void>((resolve) => ends.push(resolve)));
  const { lease } = hold(renewed, { onBeat });
  await vi.advanceTimersByTimeAsync(15_000);
  expect(onBeat).toHaveBeenCalledTimes(1);
  ends[0]?.();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(onBeat).toHaveBeenCalledTimes(2);
  lease.end();
});

test('a beat that fails is logged with the ids of its row, and the next one tries again', async () => {
  const warn = vi.spyOn(log, 'warn').mockImplementation(() => {});
  const error = new Error('the table is out of reach');
  const onBeat = vi.fn(async () => {
    if (onBeat.mock.calls.length === 1) throw error;
  });
  const { lease } = hold(renewed, { onBeat });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(warn.mock.calls).toEqual([
    ['beat failed', { lane: 'copy', row: copyKey('some request'), requestId: 'some request', error }],
  ]);
  expect(onBeat).toHaveBeenCalledTimes(2);
  expect(lease.signal.aborted).toBe(false);
  lease.end();
});

test("work stops when a beat finds that the row is another worker's", async () => {
  const { lease } = hold(renewed, {
    onBeat: async () => {
      throw new ConditionFailed([0], new Map());
    },
  });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(lease.signal.reason).toMatchObject({ why: 'lost', message: "the row is no longer this worker's" });
  lease.end();
});

describe('before what cannot be undone', () => {
  test('a lease is renewed at once, however young it is', async () => {
    const { held, lease } = hold(renewed);
    vi.setSystemTime(now() + 1_000);
    await lease.confirm();
    expect(held.leaseEnd).toBe(now() + LEASE_MS);
    lease.end();
  });

  test("work stops when the row is another worker's", async () => {
    const { lease } = hold(async () => false);
    const lost = { name: 'Stopped', why: 'lost', message: "the row is no longer this worker's" };
    await expect(lease.confirm()).rejects.toMatchObject(lost);
    expect(lease.signal.reason).toMatchObject(lost);
    lease.end();
  });

  test('work that was stopped does not renew', async () => {
    const renew = vi.fn(renewed);
    const { lease } = hold(renew);
    lease.stop('time', 'enough');
    await expect(lease.confirm()).rejects.toMatchObject({ why: 'time', message: 'enough' });
    expect(renew).not.toHaveBeenCalled();
    lease.end();
  });

  test('work that is stopped while it renews goes no further', async () => {
    const { lease } = hold(async (held) => {
      lease.stop('time', 'enough');
      return renewed(held);
    });
    await expect(lease.confirm()).rejects.toMatchObject({ why: 'time' });
    lease.end();
  });
});

test('work stops before its lease ends when the table is out of reach', async () => {
  const { held, lease } = hold(async () => {
    throw new Error('unreachable');
  });
  while (!lease.signal.aborted) await vi.advanceTimersByTimeAsync(1_000);
  expect(held.leaseEnd - now()).toBe(5_000);
  expect(lease.signal.reason).toMatchObject({
    why: 'lost',
    message: 'the lease could not be renewed in time',
  });
  lease.end();
});

test('work stops before its lease ends when a renewal hangs', async () => {
  const { held, lease } = hold(() => new Promise(() => {}));
  while (!lease.signal.aborted) await vi.advanceTimersByTimeAsync(1_000);
  expect(held.leaseEnd - now()).toBe(5_000);
  expect(lease.signal.reason).toMatchObject({
    why: 'lost',
    message: 'the lease could not be renewed in time',
  });
  lease.end();
});

test("work stops when the row is another worker's", async () => {
  const { lease } = hold(async () => false);
  while (!lease.signal.aborted) await vi.advanceTimersByTimeAsync(1_000);
  expect(lease.signal.reason).toMatchObject({ why: 'lost' });
  lease.end();
});

test("work stops at its worker's deadline, which is no failure of the row", async () => {
  const { lease } = hold(async () => true, { deadline: now() + 12_000 });
  await vi.advanceTimersByTimeAsync(12_000);
  expect(lease.signal.reason).toBeInstanceOf(Stopped);
  expect(lease.signal.reason).toMatchObject({ why: 'time', message: "the worker's time is up" });
  lease.end();
});
