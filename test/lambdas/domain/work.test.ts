import { expect, test } from 'vitest';
import { dueOf, LANES, queueUrlVariable } from '../../../lambdas/domain/work.ts';

test('each lane has a variable of its own that names its queue', () => {
  expect(queueUrlVariable('deliver-slow')).toBe('DELIVER_SLOW_QUEUE_URL');
  expect(new Set(LANES.map(queueUrlVariable)).size).toBe(LANES.length);
});

test('a row that is put with a lane and a due time is named by these and its key alone', () => {
  const row = { pk: 'REQ#r', sk: 'REQUEST', lane: 'poll', dueAt: 5, owner: 'n' } as const;
  expect(dueOf(row)).toEqual({ pk: 'REQ#r', sk: 'REQUEST', lane: 'poll', dueAt: 5 });
});
