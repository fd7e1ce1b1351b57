import { expect, test } from 'vitest';
import { countChanges, countKey, sumOfCounts } from '../../../../lambdas/domain/requests/request-counts.ts';
import { requestCountsKey } from '../../../../lambdas/domain/rows.ts';

const active = { state: 'active', status: 'processing', counted: true } as const;
const done = { state: 'done', status: 'complete', expiresAt: 86_400, counted: true } as const;

test('a request that begins is counted, and one that is erased is not any more', () => {
  expect(countChanges(undefined, active)).toEqual([{ expiresAt: 0, name: 'active:processing', by: 1 }]);
  expect(countChanges(done, undefined)).toEqual([{ expiresAt: 86_400, name: 'done:complete', by: -1 }]);
});

test('a request that changes moves from one count to another', () => {
  expect(countChanges(active, done)).toEqual([
    { expiresAt: 0, name: 'active:processing', by: -1 },
    { expiresAt: 86_400, name: 'done:complete', by: 1 },
  ]);
  expect(countChanges(done, { ...done, expiresAt: 172_800 })).toHaveLength(2);
  expect(countChanges(active, { ...active, status: 'accepted' })).toHaveLength(2);
  expect(countChanges(active, active)).toEqual([]);
});

test('a request from before there were counts is in none until it begins again', () => {
  const old = { state: 'active', status: 'processing' } as const;
  expect(countChanges(old, active)).toEqual([{ expiresAt: 0, name: 'active:processing', by: 1 }]);
  expect(countChanges(old, old)).toEqual([]);
  expect(countChanges(undefined, undefined)).toEqual([]);
});

test.each([
  ['registered', 'active:registered'],
  ['lost', 'active:lost'],
  ['canceling', 'active:canceling'],
  ['a new one', 'active:unrecognized'],
])('the status %j is counted as %s', (status, name) => {
  expect(countChanges(undefined, { ...active, status })).toMatchObject([{ name }]);
});

test('a count is spread over 16 rows by the id of the request', () => {
  expect(countKey({ expiresAt: 5 }, '0f2c')).toEqual(requestCountsKey(5, 15));
  expect(countKey({ expiresAt: 5 }, '1fff')).toEqual(requestCountsKey(5, 15));
  expect(countKey({ expiresAt: 5 }, '10ff')).toEqual(requestCountsKey(5, 0));
});

test('counts are summed over their rows, and what else a row has is left out', () => {
  const rows = [
    { pk: 'x', sk: 'y', 'active:processing': 2, 'done:complete': 1 },
    { pk: 'x', sk: 'z', 'active:processing': -1, expiresAt: 3 },
  ];
  expect(sumOfCounts(rows)).toEqual([
    { state: 'active', status: 'processing', count: 1 },
    { state: 'done', status: 'complete', count: 1 },
  ]);
  expect(sumOfCounts([])).toEqual([]);
});
