import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  deviation,
  logistic,
  logLogistic,
  middle,
  remaining,
  type Survival,
} from '../../../../../lambdas/domain/polling/schedule/waiting-time.ts';

test('an age in a window is its middle, give or take what an even distribution varies by', () => {
  expect(middle([4, 10])).toBe(7);
  expect(deviation([4, 10])).toBeCloseTo(Math.sqrt(3));
  expect(deviation([5, 5])).toBe(0);
});

test('half of the log-logistic waits last longer than the median, and the odds fall by the power of the shape', () => {
  const survival = logLogistic(30, 2);
  const odds = (seconds: number) => survival(seconds) / (1 - survival(seconds));
  expect([-1, 0].map(survival)).toEqual([1, 1]);
  expect(survival(30)).toBe(0.5);
  expect(odds(60)).toBeCloseTo(1 / 4);
  expect(odds(10)).toBeCloseTo(9);
});

test('a logistic wait has its mean and deviation', () => {
  const survival = logistic(20, 5);
  expect(survival(20)).toBe(0.5);
  // By numbers: the mean of (x - 20)² over the steps of the distribution.
  let variance = 0;
  for (let x = -180; x < 220; x += 0.1) variance += (survival(x) - survival(x + 0.1)) * (x + 0.05 - 20) ** 2;
  expect(Math.sqrt(variance)).toBeCloseTo(5, 2);
});

test('a logistic wait that does not vary varies by a tenth of a second', () => {
  for (const seconds of [0.9, 1, 1.2]) expect(logistic(1, 0)(seconds)).toBe(logistic(1, 0.1)(seconds));
  expect(logistic(1, 0.2)(1.2)).not.toBe(logistic(1, 0.1)(1.2));
});

test('a wait that does not age is over by the same chance, whatever its age', () => {
  const memoryless: Survival = (seconds) => Math.exp(-seconds / 10);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }), (least, width) => {
      expect(remaining(memoryless, [least, least + width])(10)).toBeCloseTo(1 - 1 / Math.E);
    }),
  );
});

test('the rest of a wait is what is left of it, over all the ages that are possible', () => {
  const even: Survival = (seconds) => Math.max(0, 1 - seconds / 100);
  const chance = remaining(even, [0, 80]);
  // Ages of 10, 30, 50 and 70: 240 of 400 survive now, and 40 fewer in ten seconds.
  expect(chance(10)).toBeCloseTo(40 / 240);
  expect([-5, 0].map(chance)).toEqual([0, 0]);
  expect(chance(200)).toBe(1);
});

test('a wait that should be over long ago ends at once', () => {
  const over = remaining((seconds) => (seconds < 10 ? 1 : 0), [20, 20]);
  expect([0, 1].map(over)).toEqual([0, 1]);
});
