import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layOut, placeOf, ticks } from '../../../console/request/time-scale.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('a long stretch in which nothing happens is shortened, and what happened keeps its proportions', () => {
  const early = [0, MINUTE, 2 * MINUTE, 3 * MINUTE];
  const stretches = layOut([...early, 10 * HOUR, 10 * HOUR + MINUTE], []);
  expect(stretches.filter(({ collapsed }) => collapsed)).toMatchObject([{ from: 3 * MINUTE, to: 10 * HOUR }]);
  const lengths = stretches.filter(({ collapsed }) => !collapsed).map(({ start, end }) => end - start);
  for (const length of lengths) expect(length).toBeCloseTo(0.24, 5);
});

test('a long stretch of work is not shortened', () => {
  const stretches = layOut([0, MINUTE, 2 * MINUTE, 10 * HOUR], [[2 * MINUTE, 10 * HOUR]]);
  expect(stretches.some(({ collapsed }) => collapsed)).toBe(false);
});

test('every time has its place between 0 and 1, in the order of time', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 * 24 * HOUR }), { minLength: 2, maxLength: 60 }),
      (times) => {
        const stretches = layOut(times, []);
        const places = [...times].sort((a, b) => a - b).map((time) => placeOf(stretches, time));
        for (const [i, place] of places.entries()) {
          expect(place).toBeGreaterThanOrEqual(i === 0 ? 0 : (places[i - 1] ?? 0) - 1e-9);
          expect(place).toBeLessThanOrEqual(1 + 1e-9);
        }
      },
    ),
  );
});

test('the axis is marked at round times that are far enough apart', () => {
  const stretches = layOut([12_345, 12_345 + 10 * MINUTE], []);
  const marks = ticks(stretches, 0.1);
  expect(marks).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((minutes) => minutes * MINUTE));
});
