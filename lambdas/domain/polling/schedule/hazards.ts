import { inPercent } from './percent.ts';
import type { PollState } from './poll-state.ts';
import { type ProgressRate, progressRateOf } from './progress-rate.ts';
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

/** A change that the next poll may see late: what a second of lateness weighs, and when the change may come. */
type Hazard = { weight: number; chance: Chance };

/** When `processing` may end; `expected` is its whole duration, at least its age; seconds. */
type Expectation = { expected: number; chance: Chance };

/** A second of lateness weighs 1 for the end of a job, and this for any other transition. */
const TRANSITION_WEIGHT = 0.2;

/** Median seconds and shape of the statuses that report no progress. */
const STAGES = new Map<string, readonly [median: number, shape: number]>([
  ['initializing', [50, 3]],
  ['preprocessing', [30, 2.2]],
  ['canceling', [8, 2.2]],
]);
/** `registered`, `requested`, `accepted` and unknown statuses: some seconds, or a queue of hours. */
const QUEUEING = [2.5, 1.3] as const;

/** Seconds. A long job takes a share of its time so far, since its result is larger, and varies more. */
const POSTPROCESSING = { median: 6, shape: 3.5, shareOfJob: 0.003, shapeOfLong: 2.5 };

/** `processing` takes about three quarters of upstream's estimate, often half or double of that. */
const ESTIMATED = { share: 0.75, shape: 2 };
/** Without an estimate it may take any time. */
const UNESTIMATED = { median: 300, shape: 1.2 };
/** Some estimates are wrong by far: with the rest of the weight the job counts as one without. */
const TRUST_IN_ESTIMATE = 0.7;
/** The weight of the case that the rate of progress says nothing, since progress may fall or end early. */
const DOUBT_OF_RATE = 0.05;
/** A longer estimate, s, must not make failures be noticed even later. */
const LONGEST_EXPECTED = 3600;

/** One job in ten fails or is canceled, at any time of its processing. */
const FAILING_SHARE = 0.1;

/** Steps of progress vary by a third about their mean. Few stall, and then for minutes (s). */
const STEP = { spread: 0.35, stalling: 0.01, stall: 600 };

/** What the next poll may be late for. */
export function hazardsOf(reported: PollState, now: number): Hazard[] {
  const state = inPercent(reported);
  const { status } = state;
  if (status === 'processing') return processing(state, now);
  if (status === 'postprocessing') return [{ weight: 1, chance: finishing(state, now) }];
  const [median, shape] = STAGES.get(status) ?? QUEUEING;
  const chance = remaining(logLogistic(median, shape), ageOf(state, now, median));
  return [{ weight: status === 'canceling' ? 1 : TRANSITION_WEIGHT, chance }];
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

/** When a job will end that has only postprocessing left. */
function finishing(state: PollState, now: number): Chance {
  const { median, shape, shareOfJob, shapeOfLong } = POSTPROCESSING;
  const ofLong = (shareOfJob * (state.statusSince - state.registeredAt)) / 1000;
  const survival = ofLong > median ? logLogistic(ofLong, shapeOfLong) : logLogistic(median, shape);
  return remaining(survival, ageOf(state, now, median));
}

/**
 * Upstream completes a few seconds after `processing` ends, so a poll is late for the end only after these
 * seconds.
 */
function processing(state: PollState, now: number): Hazard[] {
  if (percentOf(state) === 100) return [{ weight: 1, chance: finishing(state, now) }];
  const rate = progressRateOf(state.observations, now);
  const estimate = byEstimate(state, now);
  const { expected, chance } = rate ? inDoubt(byRate(rate), estimate) : estimate;
  return [
    { weight: TRANSITION_WEIGHT, chance },
    { weight: 1, chance: (seconds) => (seconds < POSTPROCESSING.median ? 0 : chance(seconds)) },
    { weight: 1, chance: (seconds) => 1 - Math.exp((-FAILING_SHARE * seconds) / expected) },
  ];
}

/** Mixes what the rate of progress says with what the estimate says. */
function inDoubt(rate: Expectation, estimate: Expectation): Expectation {
  const chance: Chance = (seconds) =>
    (1 - DOUBT_OF_RATE) * rate.chance(seconds) + DOUBT_OF_RATE * estimate.chance(seconds);
  return { expected: rate.expected, chance };
}

/** Before progress has moved. */
function byEstimate(state: PollState, now: number): Expectation {
  const [low, high] = state.estimates?.time ?? [];
  const known = isPositive(low) && isPositive(high);
  const median = known ? ESTIMATED.share * Math.sqrt(low * high) : UNESTIMATED.median;
  const left = 1 - percentOf(state) / 100;
  const anyhow = logLogistic(UNESTIMATED.median * left, UNESTIMATED.shape);
  const byUpstream = known ? logLogistic(median * left, ESTIMATED.shape) : anyhow;
  const survival: Survival = (seconds) =>
    TRUST_IN_ESTIMATE * byUpstream(seconds) + (1 - TRUST_IN_ESTIMATE) * anyhow(seconds);
  const age = ageOf(state, now, Math.min(median, LONGEST_EXPECTED) / 2);
  return {
    expected: Math.max(Math.min(median, LONGEST_EXPECTED), middle(age)),
    chance: remaining(survival, age),
  };
}

/**
 * After progress has moved. Either the remaining steps take as long as the earlier ones, give or take how much
 * steps vary and what polls cannot see. Or the present step has stalled, and the others follow when it is over.
 */
function byRate(rate: ProgressRate): Expectation {
  const { secondsPerPercent, measured, last, first } = rate;
  const stepTime = secondsPerPercent * rate.step;
  const left = 100 - last.percent;
  const stepsLeft = left / rate.step;
  const stepsMeasured = measured / rate.step;
  const blur = deviation(last.age);
  const spread = Math.hypot(
    STEP.spread * stepTime * Math.sqrt(stepsLeft + stepsLeft ** 2 / stepsMeasured),
    blur * (1 + left / measured),
    (deviation(first.age) * left) / measured,
  );
  const age = middle(last.age);
  const overdue = Math.max(0, age - stepTime);
  const stall = logLogistic(STEP.stall, 1);

  const moves = (1 - STEP.stalling) * logistic(stepTime, Math.hypot(STEP.spread * stepTime, blur))(age);
  const stalls = STEP.stalling * stall(overdue);
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
