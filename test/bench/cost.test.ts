import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { alternatives, bridgeCost, perMonth, sum } from '../../bench/cost/model.ts';

const work = { requestsPerDay: 1000, minutes: 20, gb: 1, endpoints: 2, polls: 23 };

test('a poll costs what docs/scale.md says: $8.15 a million', () => {
  const polls = Object.entries(bridgeCost(work).perRequest).filter(([name]) => name.startsWith('polls'));
  const dollars = polls.reduce((total, [, each]) => total + each, 0);
  expect((dollars / work.polls) * 1e6).toBeCloseTo(8.15, 1);
});

test('the table of the README has the figures of the model', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const dollars = (value: number) => `$${value.toFixed(value < 100 ? 2 : 0)}`;
  for (const [name, cost] of Object.entries({ 'the bridge': bridgeCost(work), ...alternatives(work) })) {
    const figures = [1000 * sum(cost.perRequest), sum(cost.idlePerMonth), perMonth(cost, work)];
    expect(readme).toContain(`| ${[name, ...figures.map(dollars)].join(' | ')} |`);
  }
});

test('a month is its idle cost, what jobs cost while any runs, and what its requests cost', () => {
  const cost = bridgeCost(work);
  const none = perMonth(cost, { ...work, requestsPerDay: 0 });
  expect(none).toBe(sum(cost.idlePerMonth));
  const month = perMonth(cost, work);
  const running = sum(cost.runningPerMonth!);
  expect(month - none - running).toBeCloseTo((365_000 / 12) * sum(cost.perRequest), 6);
  const hourADay = perMonth(cost, { ...work, requestsPerDay: 3 });
  expect(hourADay - none).toBeCloseTo(running / 24 + ((365 * 3) / 12) * sum(cost.perRequest), 6);
});

test('four other ways to do the same are beside it, each for the whole work', () => {
  const others = alternatives(work);
  expect(Object.keys(others)).toHaveLength(4);
  for (const other of Object.values(others)) {
    expect(perMonth(other, work)).toBeGreaterThan(0);
    expect(perMonth(other, { ...work, requestsPerDay: 2000 })).toBeGreaterThan(perMonth(other, work));
  }
});
