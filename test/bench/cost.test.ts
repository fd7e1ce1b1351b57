import { expect, test } from 'vitest';
import { alternatives, bridgeCost, perMonth, sum } from '../../bench/cost/model.ts';

const work = { requestsPerDay: 1000, minutes: 20, gb: 1, endpoints: 2, polls: 23 };

test('a poll costs what docs/scale.md says: $8.15 a million', () => {
  const polls = Object.entries(bridgeCost(work).perRequest).filter(([name]) => name.startsWith('polls'));
  const dollars = polls.reduce((total, [, each]) => total + each, 0);
  expect((dollars / work.polls) * 1e6).toBeCloseTo(8.15, 1);
});

test('a month is its idle cost and what its requests cost', () => {
  const { perRequest, idlePerMonth } = bridgeCost(work);
  const idle = perMonth({ perRequest, idlePerMonth }, { ...work, requestsPerDay: 0 });
  expect(idle).toBe(sum(idlePerMonth));
  const month = perMonth({ perRequest, idlePerMonth }, work);
  expect(month - idle).toBeCloseTo((365_000 / 12) * sum(perRequest), 6);
});

test('four other ways to do the same are beside it, each for the whole work', () => {
  const others = alternatives(work);
  expect(Object.keys(others)).toHaveLength(4);
  for (const other of Object.values(others)) {
    expect(perMonth(other, work)).toBeGreaterThan(0);
    expect(perMonth(other, { ...work, requestsPerDay: 2000 })).toBeGreaterThan(perMonth(other, work));
  }
});
