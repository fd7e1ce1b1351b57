/**
 * How a job's progress went, to be shown: pairs of numbers in one flat list, seconds since `startedAt` and
 * percent, so that 200 points take less than 2 kB of the row that is written with each of them.
 */
export type ProgressSeries = readonly number[];

type ProgressPoint = { readonly at: number; readonly progress: number };

/** Points that are shown at most. */
export const MAX_POINTS = 200;
/** Points that thinning leaves: half of the most, so thinning runs once per 100 points. */
const KEPT_POINTS = 100;

/** One point as the series holds it; `at` and `startedAt` in ms since epoch. */
export const seriesPoint = ({ at, progress }: ProgressPoint, startedAt: number): [number, number] => [
  Math.max(0, Math.round((at - startedAt) / 1000)),
  Math.round(progress * 10) / 10,
];

/** The points of a series, in order. */
export const pointsOf = (series: ProgressSeries, startedAt: number): ProgressPoint[] =>
  pairsOf(series).map(([seconds, progress]) => ({ at: startedAt + seconds * 1000, progress }));

/**
 * The series with fewer points and the same shape; undefined while it has no more than {@link MAX_POINTS}.
 * Leaves out, one after another, the point whose triangle with its neighbors has the least area
 * (Visvalingam and Whyatt, Line generalisation by repeated elimination of points, 1993).
 */
export function thinned(series: ProgressSeries): ProgressSeries | undefined {
  const points = pairsOf(series);
  if (points.length <= MAX_POINTS) return undefined;
  while (points.length > KEPT_POINTS) {
    let least = 1;
    let leastArea = Number.POSITIVE_INFINITY;
    for (let i = 1; i < points.length - 1; i++) {
      const area = triangle(points[i - 1]!, points[i]!, points[i + 1]!);
      if (area < leastArea) [least, leastArea] = [i, area];
    }
    points.splice(least, 1);
  }
  return points.flat();
}

type Pair = [number, number];

const pairsOf = (series: ProgressSeries): Pair[] =>
  Array.from({ length: Math.floor(series.length / 2) }, (_, i) => [series[2 * i]!, series[2 * i + 1]!]);

const triangle = ([ax, ay]: Pair, [bx, by]: Pair, [cx, cy]: Pair): number =>
  Math.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2;
