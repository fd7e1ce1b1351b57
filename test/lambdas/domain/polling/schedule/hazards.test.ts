import { describe, expect, test } from 'vitest';
import { hazardsOf } from '../../../../../lambdas/domain/polling/schedule/hazards.ts';
import type { Observation } from '../../../../../lambdas/domain/polling/schedule/observations.ts';
import type { PollState } from '../../../../../lambdas/domain/polling/schedule/poll-state.ts';
import {
  type Chance,
  deviation,
  logistic,
  logLogistic,
  middle,
  remaining,
  type Survival,
} from '../../../../../lambdas/domain/polling/schedule/waiting-time.ts';

// What a job may do next, as the comments of hazards.ts say it, put together here once more
// from the distributions of waiting-time.ts.

const NOW = 100_000_000;
const SECONDS = [0.5, 2, 5.9, 6, 10, 60, 400];
const ago = (seconds: number): number => NOW - seconds * 1000;
/** A level that was first seen so many seconds ago, within a second. */
const seen = (seconds: number, progress?: number): Observation => ({
  at: ago(seconds),
  after: ago(seconds + 1),
  ...(progress === undefined ? {} : { progress }),
});
const state = (status: string, changes: Partial<PollState> = {}): PollState => ({
  status,
  registeredAt: ago(1_000),
  statusSince: ago(20),
  observations: [],
  ...changes,
});

function expectSame(given: Chance | undefined, meant: Chance): void {
  for (const seconds of SECONDS) expect(given?.(seconds), `${seconds} s`).toBeCloseTo(meant(seconds), 10);
}
const weightsOf = (of: PollState) => hazardsOf(of, NOW).map(({ weight }) => weight);
const chanceOf = (of: PollState, n = 0) => hazardsOf(of, NOW)[n]?.chance;

describe('a status that reports no progress', () => {
  test.each<[string, weight: number, median: number, shape: number]>([
    ['registered', 0.2, 2.5, 1.3],
    ['accepted', 0.2, 2.5, 1.3],
    ['unheard-of', 0.2, 2.5, 1.3],
    ['initializing', 0.2, 50, 3],
    ['preprocessing', 0.2, 30, 2.2],
    ['canceling', 1, 8, 2.2],
  ])('%s weighs %d, and half of it lasts %d s', (status, weight, median, shape) => {
    const met = state(status, { observations: [{ at: ago(20), status }] });
    expect(weightsOf(met)).toEqual([weight]);
    // Met while it ran: it may have begun up to a median before.
    expectSame(chanceOf(met), remaining(logLogistic(median, shape), [20, 20 + median]));
    const begun = state(status, { observations: [{ ...seen(20), status }] });
    expectSame(chanceOf(begun), remaining(logLogistic(median, shape), [20, Math.min(21, 20 + median)]));
  });

  test('has the age of its status where no poll was seen yet, and none before its beginning', () => {
    const survival = logLogistic(2.5, 1.3);
    expectSame(chanceOf(state('registered')), remaining(survival, [20, 22.5]));
    expectSame(chanceOf(state('registered', { statusSince: NOW + 5_000 })), remaining(survival, [0, 2.5]));
    const late = [{ at: ago(20), after: NOW + 5_000 }];
    expectSame(chanceOf(state('registered', { observations: late })), remaining(survival, [20, 20]));
  });
});

describe('the end of a job', () => {
  const short = logLogistic(6, 3.5);

  test('is what postprocessing waits for, a few seconds for a short job', () => {
    const of = state('postprocessing', { observations: [seen(3), seen(1, 50)] });
    expect(weightsOf(of)).toEqual([1]);
    expectSame(chanceOf(of), remaining(short, [3, 4]));
  });

  test('takes a share of the time of a long job', () => {
    const long = state('postprocessing', { registeredAt: ago(36_020), observations: [seen(3)] });
    expectSame(chanceOf(long), remaining(logLogistic(108, 2.5), [3, 4]));
    // 2,000 s are where both agree, and the short kind varies less.
    const between = state('postprocessing', { registeredAt: ago(2_020), observations: [seen(3)] });
    expectSame(chanceOf(between), remaining(short, [3, 4]));
    const above = state('postprocessing', { registeredAt: ago(2_021), observations: [seen(3)] });
    expectSame(chanceOf(above), remaining(logLogistic(6.003, 2.5), [3, 4]));
  });

  test('follows 100 %, from when that was first seen', () => {
    const all = state('processing', { progress: 100, observations: [seen(15, 0), seen(4, 100)] });
    expect(weightsOf(all)).toEqual([1]);
    expectSame(chanceOf(all), remaining(short, [4, 5]));
    const more = state('processing', { progress: 130, observations: [seen(15, 0), seen(4, 130)] });
    expectSame(chanceOf(more), remaining(short, [4, 5]));
  });
});

/** What is expected while only time goes by: by upstream's estimate, and by none. */
function unmoved(median: number, left: number, age: readonly [number, number], isKnown = true): Chance {
  const anyhow = logLogistic(300 * left, 1.2);
  const byUpstream = isKnown ? logLogistic(median * left, 2) : anyhow;
  const survival: Survival = (seconds) => 0.7 * byUpstream(seconds) + 0.3 * anyhow(seconds);
  return remaining(survival, age);
}

describe('processing', () => {
  const begun = { observations: [{ ...seen(20), status: 'processing' }] };

  test('weighs its end as a transition, the end of the job a few seconds later, and a failure at any time', () => {
    const of = state('processing', begun);
    expect(weightsOf(of)).toEqual([0.2, 1, 1]);
    const whole = unmoved(300, 1, [20, 21], false);
    expectSame(chanceOf(of), whole);
    expectSame(chanceOf(of, 1), (seconds) => (seconds < 6 ? 0 : whole(seconds)));
    expectSame(chanceOf(of, 2), (seconds) => 1 - Math.exp((-0.1 * seconds) / 300));
  });

  test('takes three quarters of the estimate, mistrusted in part', () => {
    const of = state('processing', { ...begun, estimates: { time: [400, 900] } });
    // The middle of 400 and 900 is 600 s.
    expectSame(chanceOf(of), unmoved(450, 1, [20, 21]));
    expectSame(chanceOf(of, 2), (seconds) => 1 - Math.exp((-0.1 * seconds) / 450));
  });

  test.each([[[0, 60]], [[60, 0]], [[-60, 60]], [[Number.NaN, 60]], [[60]]] as unknown as [
    [number, number],
  ][])('takes the estimate %j for none', (time) => {
    const of = state('processing', { ...begun, estimates: { time } });
    expectSame(chanceOf(of), unmoved(300, 1, [20, 21], false));
  });

  test('that was met under way may be as old as half of what is expected, an hour at most', () => {
    const met = { observations: [{ at: ago(20), status: 'processing' }] };
    const of = (time?: [number, number]) =>
      state('processing', { ...met, ...(time && { estimates: { time } }) });
    expectSame(chanceOf(of()), unmoved(300, 1, [20, 170], false));
    expectSame(chanceOf(of([1e5, 1e5])), unmoved(75_000, 1, [20, 1_820]));
    expectSame(chanceOf(of([1e5, 1e5]), 2), (seconds) => 1 - Math.exp((-0.1 * seconds) / 3_600));
  });

  test('that has lasted for longer than expected is expected to last as long as it has', () => {
    const of = state('processing', { observations: [{ ...seen(9_000), status: 'processing' }] });
    expectSame(chanceOf(of, 2), (seconds) => 1 - Math.exp((-0.1 * seconds) / 9_000.5));
  });

  test('whose progress stands still has less left', () => {
    const of = state('processing', { progress: 40, observations: [{ at: ago(20), progress: 40 }] });
    expectSame(chanceOf(of), unmoved(300, 0.6, [20, 170], false));
  });
});

describe('processing whose progress moves', () => {
  const moving = [seen(100, 0), seen(80, 10), seen(60, 20), seen(40, 30)];

  /** What the rate says: steps of 10 % in 20 s each, the last one 40 s old, and 70 % left after it. */
  function byRate(age = 40.5): Chance {
    const [stepTime, left, steps, measured] = [20, 70, 7, 3];
    const blur = deviation([40, 41]);
    const spread = Math.hypot(
      0.35 * stepTime * Math.sqrt(steps + steps ** 2 / measured),
      blur * (1 + left / 30),
      (deviation([100, 101]) * left) / 30,
    );
    const overdue = age - stepTime;
    const stall = logLogistic(600, 1);
    const moves = 0.99 * logistic(stepTime, Math.hypot(0.35 * stepTime, blur))(age);
    const stalls = 0.01 * stall(overdue);
    const whenMoving = remaining(logistic(left * 2, spread), [age, age]);
    const whenStalled = remaining(stall, [overdue, overdue]);
    return (seconds) =>
      (moves * whenMoving(seconds) + stalls * whenStalled(seconds - (steps - 1) * stepTime)) /
      (moves + stalls);
  }

  test('is expected by its rate, doubted a little, and by what was estimated', () => {
    const of = state('processing', { progress: 30, observations: moving });
    const estimate = unmoved(300, 0.7, [100, 101], false);
    const rate = byRate();
    expectSame(chanceOf(of), (seconds) => 0.95 * rate(seconds) + 0.05 * estimate(seconds));
    expectSame(chanceOf(of, 2), (seconds) => 1 - Math.exp((-0.1 * seconds) / 200));
  });

  test('in a step that is not yet over has not stalled', () => {
    // The same steps, 30 s ago: the last one is 10.5 s old.
    const earlier = NOW - 30_000;
    const of = state('processing', { progress: 30, observations: moving });
    const [hazard] = hazardsOf(of, earlier);
    const stepTime = 20;
    const blur = deviation([10, 11]);
    const age = middle([10, 11]);
    const spread = Math.hypot(
      0.35 * stepTime * Math.sqrt(7 + 49 / 3),
      blur * (1 + 70 / 30),
      (deviation([70, 71]) * 70) / 30,
    );
    const stall = logLogistic(600, 1);
    const moves = 0.99 * logistic(stepTime, Math.hypot(0.35 * stepTime, blur))(age);
    const whenMoving = remaining(logistic(140, spread), [age, age]);
    const whenStalled = remaining(stall, [0, 0]);
    const rate: Chance = (seconds) =>
      (moves * whenMoving(seconds) + 0.01 * whenStalled(seconds - 120)) / (moves + 0.01);
    const estimate = unmoved(300, 0.7, [70, 71], false);
    expectSame(hazard?.chance, (seconds) => 0.95 * rate(seconds) + 0.05 * estimate(seconds));
  });
});
