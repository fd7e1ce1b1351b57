import { describe, expect, test } from 'vitest';
import { hazardsOf } from '../../../../../lambdas/domain/polling/schedule/hazards.ts';
import type { Observation } from '../../../../../lambdas/domain/polling/schedule/observations.ts';
import type { PollState } from '../../../../../lambdas/domain/polling/schedule/poll-state.ts';

const NOW = 100_000_000;
const ago = (seconds: number): number => NOW - seconds * 1000;
/** A level that was first seen so many seconds ago, within a second. */
const seen = (seconds: number, progress?: number): Observation => ({
  at: ago(seconds),
  after: ago(seconds + 1),
  ...(progress === undefined ? {} : { progress }),
});
/** A level that began this very moment. */
const begun = (progress?: number): Observation => ({ ...seen(0, progress), after: NOW });
const state = (status: string, changes: Partial<PollState> = {}): PollState => ({
  status,
  registeredAt: ago(1_000),
  statusSince: ago(20),
  observations: [],
  ...changes,
});

const weightsOf = (of: PollState) => hazardsOf(of, NOW).map(({ weight }) => weight);
/** The chances of a hazard, in percent with two decimals, that it comes within each of these times (seconds). */
const percentWithin = (times: readonly number[], of: PollState, { hazard = 0, now = NOW } = {}) =>
  times.map((seconds) => Math.round((hazardsOf(of, now)[hazard]?.chance(seconds) ?? Number.NaN) * 1e4) / 100);

describe('a status that reports no progress', () => {
  test.each<[string, weight: number, median: number, twice: number]>([
    ['registered', 0.2, 2.5, 71.12],
    ['accepted', 0.2, 2.5, 71.12],
    ['unheard-of', 0.2, 2.5, 71.12],
    ['initializing', 0.2, 50, 88.89],
    ['preprocessing', 0.2, 30, 82.13],
    ['canceling', 1, 8, 82.13],
  ])(
    '%s weighs %d; half of it lasts at most %d s, and %d percent at most double',
    (status, weight, median, twice) => {
      const of = state(status, { observations: [{ ...begun(), status }] });
      expect(weightsOf(of)).toEqual([weight]);
      expect(percentWithin([-1, 0, median, 2 * median], of)).toEqual([0, 0, 50, twice]);
    },
  );

  test.each<[string, met: number[], after: number[]]>([
    ['registered', [38.05, 81.65], [38.84, 82.21]],
    ['initializing', [22.43, 82.1], [12.88, 79.34]],
  ])(
    '%s that was met under way may have begun up to a median before, and not before an earlier poll',
    (status, met, after) => {
      const times = [10, 60];
      expect(percentWithin(times, state(status, { observations: [{ at: ago(20), status }] }))).toEqual(met);
      expect(percentWithin(times, state(status, { observations: [{ ...seen(20), status }] }))).toEqual(after);
    },
  );

  test('has the age of its status where no poll was seen yet, and none before its beginning', () => {
    const times = [2, 10, 60];
    expect(percentWithin(times, state('registered'))).toEqual([10.48, 38.05, 81.65]);
    expect(percentWithin([2.5], state('registered', { statusSince: NOW + 5_000 }))).toEqual([48]);
    const late = [{ at: ago(20), after: NOW + 5_000 }];
    const exact = [{ at: ago(20), after: ago(20) }];
    expect(percentWithin(times, state('registered', { observations: late }))).toEqual(
      percentWithin(times, state('registered', { observations: exact })),
    );
  });
});

describe('the end of a job', () => {
  test('is what postprocessing waits for, a few seconds for a short job', () => {
    const of = state('postprocessing', { observations: [begun(), seen(1, 50)] });
    expect(weightsOf(of)).toEqual([1]);
    expect(percentWithin([6, 12], of)).toEqual([50, 91.88]);
    expect(percentWithin([2, 6], state('postprocessing', { observations: [seen(3)] }))).toEqual([
      33.51, 80.66,
    ]);
  });

  test('takes 0.3 % of the time of a long job', () => {
    const observations = [begun()];
    const long = state('postprocessing', { registeredAt: ago(36_020), observations });
    expect(percentWithin([108, 216], long)).toEqual([50, 84.98]);
    // 2,000 s are where both agree, and the short kind varies less.
    const between = state('postprocessing', { registeredAt: ago(2_020), observations });
    expect(percentWithin([6, 12], between)).toEqual([50, 91.88]);
    const above = state('postprocessing', { registeredAt: ago(2_021), observations });
    expect(percentWithin([6.003, 12.006], above)).toEqual([50, 84.98]);
  });

  test.each([100, 130])('follows %d percent, from when that was first seen', (progress) => {
    const of = state('processing', { progress, observations: [seen(15, 0), begun(progress)] });
    expect(weightsOf(of)).toEqual([1]);
    expect(percentWithin([6, 12], of)).toEqual([50, 91.88]);
  });
});

describe('processing', () => {
  const unmoved = { observations: [{ ...begun(), status: 'processing' }] };
  /** Of a failure, which comes in one job of ten while it is expected to run. */
  const FAILURE = { hazard: 2 };

  test('weighs its end as a transition, the end of the job a few seconds later, and a failure at any time', () => {
    const of = state('processing', unmoved);
    expect(weightsOf(of)).toEqual([0.2, 1, 1]);
    expect(percentWithin([5.9, 6, 300, 600], of)).toEqual([0.89, 0.91, 50, 69.67]);
    expect(percentWithin([5.9, 6, 300, 600], of, { hazard: 1 })).toEqual([0, 0.91, 50, 69.67]);
    expect(percentWithin([300], of, FAILURE)).toEqual([9.52]);
  });

  test('takes three quarters of the estimate, mistrusted in part', () => {
    // The middle of 400 and 900 is 600 s.
    const of = state('processing', { ...unmoved, estimates: { time: [400, 900] } });
    expect(percentWithin([60, 450, 900], of)).toEqual([5.02, 53.58, 79.67]);
    expect(percentWithin([450], of, FAILURE)).toEqual([9.52]);
  });

  test.each([[[0, 60]], [[60, 0]], [[-60, 60]], [[Number.NaN, 60]], [[60]]] as unknown as [
    [number, number],
  ][])('takes the estimate %j for none', (time) => {
    const of = state('processing', { ...unmoved, estimates: { time } });
    expect(percentWithin([60, 300], of)).toEqual(percentWithin([60, 300], state('processing', unmoved)));
  });

  test('that was met under way may be as old as half of what is expected, an hour at most', () => {
    const met = { observations: [{ at: ago(20), status: 'processing' }] };
    expect(percentWithin([60, 300], state('processing', met))).toEqual([13.74, 47.73]);
    const endless = state('processing', { ...met, estimates: { time: [1e5, 1e5] } });
    expect(percentWithin([300, 9_000], endless)).toEqual([3.49, 11.61]);
    expect(percentWithin([3_600], endless, FAILURE)).toEqual([9.52]);
  });

  test('that has lasted for longer than expected is expected to last as long as it has', () => {
    const of = state('processing', { observations: [{ ...seen(9_000), status: 'processing' }] });
    expect(percentWithin([9_000.5], of, FAILURE)).toEqual([9.52]);
  });

  test('whose progress stands still has less left', () => {
    const at = (progress: number) =>
      state('processing', { progress, observations: [{ at: ago(20), progress }] });
    expect(percentWithin([60, 300], at(0))).toEqual([13.74, 47.73]);
    expect(percentWithin([60, 300], at(40))).toEqual([20.4, 59.47]);
  });
});

describe('processing whose progress moves', () => {
  /** Steps of 10 % in 20 s each; the last is 40 s old. 70 % are left, for 140 s. */
  const of = state('processing', {
    progress: 30,
    observations: [seen(100, 0), seen(80, 10), seen(60, 20), seen(40, 30)],
  });
  const TIMES = [10, 60, 100, 130, 200, 400];

  test('is expected by its rate, doubted a little, and by what was estimated', () => {
    expect(percentWithin(TIMES, of)).toEqual([0.28, 4.19, 17.44, 29.31, 41.15, 54.66]);
    // 100 % take 200 s.
    expect(percentWithin([200], of, { hazard: 2 })).toEqual([9.52]);
  });

  test('in a step that is not yet over has not stalled', () => {
    // 30 s earlier, the last step was 10 s old.
    expect(percentWithin(TIMES, of, { now: ago(30) })).toEqual([0.24, 3.07, 17.39, 49.32, 94.29, 97.55]);
  });
});
