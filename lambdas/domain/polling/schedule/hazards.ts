import { inPercent } from './percent.ts';
import type { PollState } from './poll-state.ts';
import { type Pace, paceOf } from './progress-rate.ts';
import {
  type Chance,
  deviation,
  logistic,
  logLogistic,
  middle,
  remaining,
  type Survival,
  type Window,
} from './waiting-time.ts';

/** Something that a poll should not be late for: what a second of lateness weighs, and when it may come. */
export type Loss = { weight: number; chance: Chance };

/** When `processing` may end; `expected` is what it takes in all, at least its age; seconds. */
type Expectation = { expected: number; chance: Chance };

/** A second of lateness of the end weighs 1, of any other transition this. */
const transition = 0.2;

/** Median seconds and shape of the stages that report nothing about themselves. */
const stages = new Map<string, readonly [median: number, shape: number]>([
  ['initializing', [50, 3]],
  ['preprocessing', [30, 2.2]],
  ['canceling', [8, 2.2]],
]);
/** `registered`, `requested`, `accepted`, and what nobody has heard of: seconds, or a queue of hours. */
const queueing = [2.5, 1.3] as const;

/** Seconds; for a long job a share of its time so far, for its result is larger and its time less certain. */
const postprocessing = { median: 6, shape: 3.5, shareOfJob: 0.003, shapeOfLong: 2.5 };

/** `processing` takes about three quarters of the estimate, often half or double of that, */
const estimated = { share: 0.75, shape: 2 };
/** or, as without an estimate, anything: estimates are known that were wrong by far. */
const unestimated = { median: 300, shape: 1.2 };
const trusted = 0.7;
/** How far the pace of progress is doubted. */
const doubted = 0.05;
/** An estimate of more, s, is not taken to mean that a failure may be noticed later still. */
const longest = 3600;

/** One job in ten ends otherwise, at any time of its processing. */
const failing = 0.1;

/** Steps spread by a third about their mean; few stall, and then for minutes. */
const step = { spread: 0.35, stalling: 0.01, stall: 600 };

/** What the next poll may be late for. */
export function lossesOf(reported: PollState, now: number): Loss[] {
  const state = inPercent(reported);
  const { status } = state;
  if (status === 'processing') return processing(state, now);
  if (status === 'postprocessing') return [{ weight: 1, chance: finishing(state, now) }];
  const [median, shape] = stages.get(status) ?? queueing;
  const chance = remaining(logLogistic(median, shape), ageOf(state, now, median));
  return [{ weight: status === 'canceling' ? 1 : transition, chance }];
}

/** How long ago the status, or 100 % within it, began; `unseen` seconds more when no poll came before. */
function ageOf(state: PollState, now: number, unseen: number): Window {
  const { at, after } = (percentOf(state) === 100 ? state.observations.at(-1) : state.observations[0]) ?? {
    at: state.statusSince,
  };
  const least = Math.max(0, (now - at) / 1000);
  const greatest = after === undefined ? Number.POSITIVE_INFINITY : (now - after) / 1000;
  return [least, Math.max(least, Math.min(greatest, least + unseen))];
}

/** The end of a job that has only postprocessing left. */
function finishing(state: PollState, now: number): Chance {
  const { median, shape, shareOfJob, shapeOfLong } = postprocessing;
  const ofLong = (shareOfJob * (state.statusSince - state.registeredAt)) / 1000;
  const survival = ofLong > median ? logLogistic(ofLong, shapeOfLong) : logLogistic(median, shape);
  return remaining(survival, ageOf(state, now, median));
}

/**
 * Upstream completes a few seconds after `processing` ends, so a poll is late for it only from then on. (To wait
 * these seconds anew after every poll would be to count them again and again.)
 */
function processing(state: PollState, now: number): Loss[] {
  if (percentOf(state) === 100) return [{ weight: 1, chance: finishing(state, now) }];
  const pace = paceOf(state.observations, now);
  const estimate = byEstimate(state, now);
  const { expected, chance } = pace ? inDoubt(byPace(pace), estimate) : estimate;
  return [
    { weight: transition, chance },
    { weight: 1, chance: (seconds) => (seconds < postprocessing.median ? 0 : chance(seconds)) },
    { weight: 1, chance: (seconds) => 1 - Math.exp((-failing * seconds) / expected) },
  ];
}

/** What progress says, which may fall, or end early, and what is to be expected without it. */
function inDoubt(pace: Expectation, estimate: Expectation): Expectation {
  const chance: Chance = (seconds) =>
    (1 - doubted) * pace.chance(seconds) + doubted * estimate.chance(seconds);
  return { expected: pace.expected, chance };
}

/** Before progress has moved. */
function byEstimate(state: PollState, now: number): Expectation {
  const [low, high] = state.estimates?.time ?? [];
  const known = isPositive(low) && isPositive(high);
  const median = known ? estimated.share * Math.sqrt(low * high) : unestimated.median;
  const left = 1 - percentOf(state) / 100;
  const anyhow = logLogistic(unestimated.median * left, unestimated.shape);
  const byWord = known ? logLogistic(median * left, estimated.shape) : anyhow;
  const survival: Survival = (seconds) => trusted * byWord(seconds) + (1 - trusted) * anyhow(seconds);
  const age = ageOf(state, now, Math.min(median, longest) / 2);
  return { expected: Math.max(Math.min(median, longest), middle(age)), chance: remaining(survival, age) };
}

/**
 * After progress has moved: the steps that are left take as long as the others did, give or take what steps vary
 * by and what polls cannot see; or the present step has stalled, and the others follow when it is over.
 */
function byPace(pace: Pace): Expectation {
  const { secondsPerPercent, measured, last, first } = pace;
  const stepTime = secondsPerPercent * pace.step;
  const left = 100 - last.percent;
  const stepsLeft = left / pace.step;
  const stepsMeasured = measured / pace.step;
  const blur = deviation(last.age);
  const spread = Math.hypot(
    step.spread * stepTime * Math.sqrt(stepsLeft + stepsLeft ** 2 / stepsMeasured),
    blur * (1 + left / measured),
    (deviation(first.age) * left) / measured,
  );
  const age = middle(last.age);
  const overdue = Math.max(0, age - stepTime);
  const stall = logLogistic(step.stall, 1);

  const moves = (1 - step.stalling) * logistic(stepTime, Math.hypot(step.spread * stepTime, blur))(age);
  const stalls = step.stalling * stall(overdue);
  const whenMoving = restOf(logistic(left * secondsPerPercent, spread), age);
  const whenStalled = restOf(stall, overdue);
  const following = (stepsLeft - 1) * stepTime;
  const chance: Chance = (seconds) =>
    (moves * whenMoving(seconds) + stalls * whenStalled(seconds - following)) / (moves + stalls);
  return { expected: Math.max(100 * secondsPerPercent, middle(first.age)), chance };
}

const restOf = (survival: Survival, age: number): Chance => remaining(survival, [age, age]);
const isPositive = (value: number | undefined): value is number => Number.isFinite(value) && value! > 0;
const percentOf = ({ progress = 0 }: PollState): number =>
  Number.isFinite(progress) ? Math.min(Math.max(progress, 0), 100) : 0;
