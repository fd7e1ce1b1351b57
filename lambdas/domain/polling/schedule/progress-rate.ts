import type { Observation } from './observations.ts';
import { middle, type Window } from './waiting-time.ts';

/** A level of progress, and how long ago it was reached. */
type Step = { percent: number; age: Window };

/** How fast progress has moved so far. */
export type ProgressRate = {
  secondsPerPercent: number;
  /** Percent that the rate was measured on. */
  measured: number;
  /** Percent of one step: progress moves by chunks of about equal size. */
  step: number;
  first: Step;
  last: Step;
};

/** The way from one step to the next. */
type Stretch = { percent: number; seconds: number };

/** A stretch this many times slower than the median one was stalled, and is left out of the rate. */
const STALLED = 3;
/** How old a level may have been at the first poll of a job that was registered while it ran, s. */
const UNSEEN = 60;

/** The rate of progress in the present status; undefined until progress has moved. */
export function progressRateOf(observations: readonly Observation[], now: number): ProgressRate | undefined {
  const steps = stepsOf(observations, now);
  const stretches = steps.slice(1).map((to, index) => {
    const from = steps[index]!;
    const seconds = Math.max(0.5, middle(from.age) - middle(to.age));
    return { percent: to.percent - from.percent, seconds };
  });
  const first = steps[0];
  const last = steps.at(-1);
  if (!first || !last || stretches.length === 0) return undefined;
  const usual = medianSlowness(stretches);
  const moving = stretches.filter((stretch) => slowness(stretch) <= STALLED * usual);
  const measured = sum(moving.map(({ percent }) => percent));
  return {
    secondsPerPercent: sum(moving.map(({ seconds }) => seconds)) / measured,
    measured,
    step: Math.min(100 - last.percent, ...stretches.map(({ percent }) => percent)),
    first,
    last,
  };
}

/** Rising levels below 100 %, oldest first; after a fall they start again. A status whose beginning was seen began at 0 %. */
function stepsOf(observations: readonly Observation[], now: number): Step[] {
  let steps: Step[] = [];
  for (const [index, { at, after, progress }] of observations.entries()) {
    const least = Math.max(0, (now - at) / 1000);
    const age: Window = [least, after === undefined ? least + UNSEEN : Math.max(least, (now - after) / 1000)];
    if (index === 0 && after !== undefined) steps.push({ percent: 0, age });
    const percent = Math.max(0, progress ?? 0);
    const level = steps.at(-1)?.percent ?? 0;
    if (percent < level) steps = [{ percent, age }];
    if (percent > level && percent < 100) steps.push({ percent, age });
  }
  return steps;
}

/** The seconds per percent that half of the measured percent took at most. */
function medianSlowness(stretches: readonly Stretch[]): number {
  let half = sum(stretches.map(({ percent }) => percent)) / 2;
  const fastestFirst = [...stretches].sort((a, b) => slowness(a) - slowness(b));
  for (const stretch of fastestFirst) {
    half -= stretch.percent;
    if (half <= 0) return slowness(stretch);
  }
  return slowness(fastestFirst.at(-1)!);
}

const slowness = ({ percent, seconds }: Stretch): number => seconds / percent;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
