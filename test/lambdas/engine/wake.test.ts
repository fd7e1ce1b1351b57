import { expect, test } from 'vitest';
import { wake, withdraw } from '../../../lambdas/engine/wake.ts';

const KEY = { pk: 'P', sk: 'S' };
const CLAIM = ['owner', 'claims', 'lastFailure', 'parked'];
const free = { attribute: 'state', is: '=', value: 'free' } as const;

test('a row that is woken is taken from its worker, and from the parked ones', () => {
  expect(wake({ ...KEY, dueAt: 3 }, 'copy', 9)).toEqual({
    due: { ...KEY, lane: 'copy', dueAt: 9 },
    write: { update: KEY, set: { lane: 'copy', dueAt: 9 }, remove: CLAIM, if: [] },
  });
});

test('a wake changes what else is to change, under its condition', () => {
  const change = { set: { a: 1 }, setIfAbsent: { b: 2 }, remove: ['c', 'owner'], if: [free] };
  expect(wake(KEY, 'copy', 9, change).write).toEqual({
    update: KEY,
    set: { a: 1, lane: 'copy', dueAt: 9 },
    setIfAbsent: { b: 2 },
    remove: [...CLAIM, 'c'],
    if: [free],
  });
});

test('the due time differs from the one that the row was read with, in whole milliseconds', () => {
  expect(wake({ ...KEY, dueAt: 9 }, 'copy', 9).due.dueAt).toBe(10);
  expect(wake({ ...KEY, dueAt: 9 }, 'copy', 8.5).due.dueAt).toBe(10);
});

test('a row that is withdrawn is in no lane, and no worker has it', () => {
  expect(withdraw({ ...KEY })).toEqual({
    update: KEY,
    set: {},
    remove: [...CLAIM, 'lane', 'dueAt'],
    if: [],
  });
  expect(withdraw(KEY, { set: { a: 1 }, remove: ['b', 'lane'], if: [free] })).toEqual({
    update: KEY,
    set: { a: 1 },
    remove: [...CLAIM, 'lane', 'dueAt', 'b'],
    if: [free],
  });
});
