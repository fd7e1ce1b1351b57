import { expect, test } from 'vitest';
import type { Observation } from '../../../../../lambdas/domain/polling/schedule/observations.ts';
import { progressRateOf } from '../../../../../lambdas/domain/polling/schedule/progress-rate.ts';

const NOW = 1_000_000;
/** A level that was first seen so many seconds ago, within a second. */
const seen = (ago: number, progress?: number): Observation => ({
  at: NOW - ago * 1000,
  after: NOW - (ago + 1) * 1000,
  ...(progress === undefined ? {} : { progress }),
});

test('a job that moves steadily has the rate of its steps', () => {
  expect(progressRateOf([seen(100, 0), seen(80, 10), seen(60, 20), seen(40, 30)], NOW)).toEqual({
    secondsPerPercent: 2,
    measured: 30,
    step: 10,
    first: { percent: 0, age: [100, 101] },
    last: { percent: 30, age: [40, 41] },
  });
});

test('a status whose beginning was seen began at nothing, also when its first level is more', () => {
  const rate = progressRateOf([seen(100, 20), seen(60, 40)], NOW);
  // From 0 to 20 % in no time, which counts as half a second.
  expect(rate).toMatchObject({ first: { percent: 0 }, last: { percent: 40 }, step: 20 });
});

test('a job that was met while it ran began up to a minute before', () => {
  expect(progressRateOf([{ at: NOW - 90_000, progress: 50 }, seen(30, 60)], NOW)).toEqual({
    secondsPerPercent: (120 - 30.5) / 10,
    measured: 10,
    step: 10,
    first: { percent: 50, age: [90, 150] },
    last: { percent: 60, age: [30, 31] },
  });
});

test('a stretch that is far slower than the usual one is left out of the rate', () => {
  const steps = [seen(500, 0), seen(480, 10), seen(460, 20), seen(100, 30), seen(80, 40)];
  expect(progressRateOf(steps, NOW)).toMatchObject({ secondsPerPercent: 2, measured: 30 });
});

test('a stretch that is three times slower still counts, the one just slower does not', () => {
  const rate = (slow: number) =>
    progressRateOf([seen(200, 0), seen(190, 10), seen(180, 20), seen(180 - slow, 30)], NOW);
  expect(rate(30)).toMatchObject({ measured: 30, secondsPerPercent: 50 / 30 });
  expect(rate(31)).toMatchObject({ measured: 20, secondsPerPercent: 1 });
});

test('the usual slowness is that of half of the percent, and not of half of the steps', () => {
  // One slow step of 60 % outweighs four quick ones of 5 %.
  const steps = [seen(600, 0), seen(599, 5), seen(598, 10), seen(597, 15), seen(596, 20), seen(296, 80)];
  expect(progressRateOf(steps, NOW)).toMatchObject({ measured: 80, secondsPerPercent: 304 / 80 });
});

test('after a fall the levels begin again', () => {
  const fell = [seen(100, 0), seen(80, 50), seen(60, 10), seen(40, 20)];
  expect(progressRateOf(fell, NOW)).toEqual({
    secondsPerPercent: 2,
    measured: 10,
    step: 10,
    first: { percent: 10, age: [60, 61] },
    last: { percent: 20, age: [40, 41] },
  });
});

test('the step is the smallest one, and no more than what is left', () => {
  expect(progressRateOf([seen(100, 0), seen(80, 40), seen(60, 50)], NOW)?.step).toBe(10);
  expect(progressRateOf([seen(100, 0), seen(60, 96)], NOW)?.step).toBe(4);
});

test.each([
  ['nothing was seen', []],
  ['one level was seen', [{ at: NOW - 60_000, progress: 50 }]],
  ['progress never moved', [seen(100, 0), seen(80, 0)]],
  ['progress is not told', [seen(100), seen(80)]],
  ['progress is nonsense', [seen(100, -5), seen(80, -1)]],
  ['all is done', [seen(100, 0), seen(80, 100)]],
])('there is no rate while %s', (_name, observations) => {
  expect(progressRateOf(observations, NOW)).toBeUndefined();
});

test('a clock that is behind gives no age below nothing', () => {
  const ahead = [seen(20, 0), { at: NOW + 5_000, after: NOW + 4_000, progress: 10 }];
  expect(progressRateOf(ahead, NOW)?.last).toEqual({ percent: 10, age: [0, 0] });
});
