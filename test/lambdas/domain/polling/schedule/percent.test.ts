import { expect, test } from 'vitest';
import { inPercent } from '../../../../../lambdas/domain/polling/schedule/percent.ts';

const state = (progress: number | undefined, ...levels: (number | undefined)[]) => ({
  status: 'processing',
  registeredAt: 0,
  statusSince: 0,
  ...(progress === undefined ? {} : { progress }),
  observations: levels.map((level, at) => (level === undefined ? { at } : { at, progress: level })),
});

test.each([
  ['some fractions', state(0.5, 0, 0.2), state(50, 0, 20)],
  [
    'a fraction among the observations alone',
    state(undefined, 0, 0.25, undefined),
    state(undefined, 0, 25, undefined),
  ],
  ['a fraction that is the last one', state(0.75), state(75)],
  ['fractions up to the end', state(1, 0.5, 1), state(100, 50, 100)],
])('%s are taken for shares of one', (_name, given, meant) => {
  expect(inPercent(given)).toEqual(meant);
});

test.each([
  ['nothing', state(undefined)],
  ['zero', state(0, 0)],
  ['one per cent', state(1, 0, 1)],
  ['a fraction beside a percent', state(2, 0.5)],
  ['a percent beside a fraction', state(0.5, 3)],
  ['percents', state(40, 10, 20)],
])('%s is left as it is', (_name, given) => {
  expect(inPercent(given)).toBe(given);
});
