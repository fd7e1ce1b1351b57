import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MAX_POINTS,
  pointsOf,
  seriesPoint,
  thinned,
} from '../../../../lambdas/domain/requests/progress-series.ts';

const START = 1_000_000;

test('a point comes back as it was, to the second and a tenth of a per cent', () => {
  const series = [...seriesPoint({ at: START + 61_400, progress: 12.34 }, START)];
  expect(pointsOf(series, START)).toEqual([{ at: START + 61_000, progress: 12.3 }]);
});

test('a series within the limit is left as it is', () => {
  const series = Array.from({ length: MAX_POINTS }, (_, i) => [i, i / 2]).flat();
  expect(thinned(series)).toBeUndefined();
});

test('a thinned series keeps its ends, its order and its turning points', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 400 }), (turn) => {
      // Slow at first, then fast from one point on: that point is the shape.
      const at = (i: number) => (i < turn ? i * 0.01 : turn * 0.01 + (i - turn));
      const series = Array.from({ length: 401 }, (_, i) => [i, at(i)]).flat();
      const points = pointsOf(thinned(series) ?? [], 0);
      expect(points.length).toBeLessThanOrEqual(MAX_POINTS);
      expect(points.at(0)).toEqual({ at: 0, progress: at(0) });
      expect(points.at(-1)).toEqual({ at: 400_000, progress: at(400) });
      expect(points.map((point) => point.at)).toEqual(points.map((point) => point.at).sort((a, b) => a - b));
      if (turn < 400) expect(points.map((point) => point.at)).toContain(turn * 1000);
    }),
    { numRuns: 20 },
  );
});

test('a series is thinned to half of the limit, alike wherever it lies', () => {
  const points = Array.from({ length: MAX_POINTS + 1 }, (_, i) => [i, Math.sin(i / 9) * 10 + i / 5] as const);
  const at = (seconds: number, percent: number) =>
    pointsOf(thinned(points.flatMap(([s, p]) => [s + seconds, p + percent])) ?? [], 0).map(
      (point) => point.at,
    );
  expect(at(0, 0)).toHaveLength(MAX_POINTS / 2);
  expect(at(5_000, 0)).toEqual(at(0, 0).map((ms) => ms + 5_000_000));
  expect(at(0, 64)).toEqual(at(0, 0));
});
