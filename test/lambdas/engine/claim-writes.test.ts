import { expect, test } from 'vitest';
import { LEASE_MS } from '../../../lambdas/domain/work.ts';
import {
  againWrite,
  type Claim,
  claimWrite,
  finishWrite,
  parkWrite,
  progressWrite,
  removeWrite,
  renewWrite,
  retryWrite,
  unclaimWrite,
} from '../../../lambdas/engine/claim-writes.ts';

// The writes of a claim, compared whole. What they do to a row is in claims.test.ts, and in test/model.

const KEY = { pk: 'P', sk: 'S' };
const NOW = 1_000_000;
const claim: Claim = {
  row: KEY,
  lane: 'copy',
  nonce: 'n',
  hintedAt: NOW - 5_000,
  leaseEnd: NOW + 50_000,
  claimsWithoutProgress: 1,
};
/** No write of a worker takes effect on a row that is another's. */
const MINE = [{ attribute: 'owner', is: '=', value: 'n' }];
/** What an ended claim leaves nothing of. */
const ENDED = ['owner', 'claims', 'lastFailure'];

test('a claim is a write that only the row as hinted takes, and it counts', () => {
  expect(claimWrite('copy', { ...KEY, dueAt: 7 }, 'n', NOW)).toEqual({
    leaseEnd: NOW + LEASE_MS,
    write: {
      update: KEY,
      set: { owner: 'n', dueAt: NOW + LEASE_MS },
      add: { claims: 1 },
      if: [
        { attribute: 'lane', is: '=', value: 'copy' },
        { attribute: 'dueAt', is: '=', value: 7 },
      ],
    },
  });
});

test('a row that is due again forgets its claim, in its lane or in another', () => {
  const due = { ...KEY, lane: 'copy', dueAt: NOW + 9 };
  expect(againWrite(claim, NOW + 9)).toEqual({
    due,
    write: {
      update: KEY,
      set: { releasedBy: 'n', lane: 'copy', dueAt: NOW + 9 },
      remove: ENDED,
      if: MINE,
    },
  });
  expect(againWrite(claim, NOW + 9, { lane: 'poll', set: { a: 1 }, remove: ['b'] })).toEqual({
    due: { ...due, lane: 'poll' },
    write: {
      update: KEY,
      set: { a: 1, releasedBy: 'n', lane: 'poll', dueAt: NOW + 9 },
      remove: [...ENDED, 'b'],
      if: MINE,
    },
  });
});

test('a row that is finished is in no lane', () => {
  expect(finishWrite(claim)).toEqual({
    write: { update: KEY, set: { releasedBy: 'n' }, remove: [...ENDED, 'lane', 'dueAt'], if: MINE },
  });
  expect(finishWrite(claim, { set: { a: 1 }, remove: ['b'] }).write).toEqual({
    update: KEY,
    set: { a: 1, releasedBy: 'n' },
    remove: [...ENDED, 'lane', 'dueAt', 'b'],
    if: MINE,
  });
});

test('progress keeps the row for another lease, and forgets the claims that made none', () => {
  const leaseEnd = NOW + LEASE_MS;
  expect(progressWrite(claim, NOW, { a: 1 })).toEqual({
    leaseEnd,
    write: { update: KEY, set: { a: 1, dueAt: leaseEnd }, remove: ['claims', 'lastFailure'], if: MINE },
  });
});

test('a renewal keeps the row for another lease, and the claims counted', () => {
  const leaseEnd = NOW + LEASE_MS;
  expect(renewWrite(claim, NOW)).toEqual({
    leaseEnd,
    write: { update: KEY, set: { dueAt: leaseEnd }, if: MINE },
  });
});

test('work that was not begun is due at once, and its claim is not counted', () => {
  expect(unclaimWrite(claim, NOW)).toEqual({
    due: { ...KEY, lane: 'copy', dueAt: NOW },
    write: {
      update: KEY,
      set: { dueAt: NOW, releasedBy: 'n' },
      add: { claims: -1 },
      remove: ['owner'],
      if: MINE,
    },
  });
});

test('work that failed is due after a backoff that grows with its claims, which stay counted', () => {
  expect(retryWrite(claim, 'TimeoutError', NOW)).toEqual({
    due: { ...KEY, lane: 'copy', dueAt: NOW + 10_000 },
    write: {
      update: KEY,
      set: { lastFailure: 'TimeoutError', dueAt: NOW + 10_000, releasedBy: 'n' },
      remove: ['owner'],
      if: MINE,
    },
  });
});

test('a parked row says why, since when and in which lane, and no sweep looks there', () => {
  expect(parkWrite(claim, 'no bucket', NOW)).toEqual({
    write: {
      update: KEY,
      set: {
        lane: 'parked',
        dueAt: NOW,
        parked: { reason: 'no bucket', since: NOW, lane: 'copy' },
        releasedBy: 'n',
      },
      remove: ENDED,
      if: MINE,
    },
  });
});

test('only the owner of a row deletes it', () => {
  expect(removeWrite(claim).write).toEqual({ delete: KEY, if: MINE });
});

test('no write makes a row due when it was due just before, or an old hint would claim the new work', () => {
  const taken = { ...claim, hintedAt: NOW, leaseEnd: NOW + 1 };
  expect(againWrite(taken, NOW).due.dueAt).toBe(NOW + 2);
  expect(unclaimWrite(taken, NOW).due.dueAt).toBe(NOW + 2);
  expect(parkWrite(taken, '', NOW).write).toMatchObject({ set: { dueAt: NOW + 2 } });
  const renewed = { ...claim, hintedAt: NOW + LEASE_MS, leaseEnd: NOW + LEASE_MS + 1 };
  expect(renewWrite(renewed, NOW).leaseEnd).toBe(NOW + LEASE_MS + 2);
  expect(progressWrite(renewed, NOW).leaseEnd).toBe(NOW + LEASE_MS + 2);
  expect(claimWrite('copy', { ...KEY, dueAt: NOW + LEASE_MS }, 'n', NOW).leaseEnd).toBe(NOW + LEASE_MS + 1);
});
