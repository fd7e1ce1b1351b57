import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextPollAt } from '../../../../lambdas/domain/polling/poll-schedule.ts';
import { nextPoll } from '../../../../lambdas/domain/polling/poll-wait.ts';
import { scarcity } from '../../../../lambdas/domain/polling/scarcity.ts';
import { requestRow, START } from '../../../support/rows.ts';

const anyLateness = fc.integer({ min: 0, max: 3_600_000 });
const MINUTE = 60_000;

/** A job that has been processing for so many minutes, at a percent a minute or another rate. */
const processing = (percent: number, minutes: number) => {
  const since = START - minutes * MINUTE;
  return requestRow({
    status: 'processing',
    registeredAt: since - MINUTE,
    statusSince: since,
    progress: percent,
    observations: [
      { at: since, status: 'processing', progress: 0 },
      ...Array.from({ length: 7 }, (_, n) => ({
        at: since + ((n + 1) / 7) * minutes * MINUTE,
        after: since + ((n + 1) / 7) * minutes * MINUTE - 1_000,
        progress: (percent * (n + 1)) / 7,
      })),
    ],
  });
};
const STATUS = { kind: 'status', status: { status: 'processing' } } as const;
const wait = (row: ReturnType<typeof processing>, lateness: number) =>
  nextPoll(row, { outcome: STATUS, lateness }, START, 0) - START;

test('polls in time wait for what the schedule says', () => {
  const row = processing(40, 20);
  for (const lateness of [0, 1_000, 2_000]) expect(wait(row, lateness)).toBe(nextPollAt(row, START) - START);
});

test('the price of a poll rises with its lateness, never falls, and has a bound', () => {
  fc.assert(
    fc.property(anyLateness, anyLateness, (a, b) => {
      expect(scarcity(Math.max(a, b))).toBeGreaterThanOrEqual(scarcity(Math.min(a, b)));
      expect(scarcity(a)).toBeGreaterThanOrEqual(1);
      expect(scarcity(a)).toBeLessThanOrEqual(20);
    }),
  );
});

test('a late poll never shortens the wait', () => {
  const anyJob = fc.record({
    percent: fc.integer({ min: 7, max: 99 }),
    minutes: fc.integer({ min: 1, max: 240 }),
  });
  fc.assert(
    fc.property(anyJob, anyLateness, ({ percent, minutes }, lateness) => {
      const row = processing(percent, minutes);
      expect(wait(row, lateness)).toBeGreaterThanOrEqual(wait(row, 0));
    }),
  );
});

test('while polling is behind, a job at its end keeps its time nearly, and one far from it waits', () => {
  const [near, far] = [processing(98, 49), processing(20, 10)];
  const late = 20_000;
  expect(wait(near, late) - wait(near, 0)).toBeLessThan(wait(far, late) - wait(far, 0));
  expect(wait(near, late)).toBeLessThan(2 * MINUTE);
});

test('after faults the wait doubles up to five minutes, after a 404 it is half a minute', () => {
  const after = (faults: number) =>
    nextPoll(requestRow({ faults }), { outcome: { kind: 'fault', reason: '' }, lateness: 0 }, START, 0) -
    START;
  expect([1, 2, 3, 9].map(after)).toEqual([5_000, 10_000, 20_000, 300_000]);
  const notFound = { outcome: { kind: 'not-found' }, lateness: 0 } as const;
  expect(nextPoll(requestRow(), notFound, START, 0) - START).toBe(30_000);
});

test('the price of a poll doubles with each two seconds of lateness beyond the usual two', () => {
  expect([0, 2_000, 3_000, 4_000, 6_000, 40_000, 1e9].map(scarcity)).toEqual([1, 1, 1.5, 2, 3, 20, 20]);
});

test('a fault waits by its count with jitter, or as long as upstream asked for', () => {
  const after = (retryAfterMs: number | undefined, faults: number | undefined, random = 0) =>
    nextPoll(
      requestRow({ ...(faults && { faults }) }),
      { outcome: { kind: 'fault', reason: '', retryAfterMs }, lateness: 0 },
      START,
      random,
    ) - START;
  expect(after(undefined, undefined)).toBe(5_000);
  expect(after(undefined, 2, 0.5)).toBe(11_250);
  expect(after(undefined, 1, 0.00001)).toBe(5_001);
  expect(after(60_000, 2)).toBe(60_000);
  expect(after(1_000, 2)).toBe(10_000);
});

test('a download that is missing is asked for after a backoff, and no poll after it', () => {
  const outcome = { kind: 'status', status: { status: 'complete' } } as const;
  const after = (downloadMissing: number | undefined) => {
    const row = { ...processing(40, 20), faults: 7, ...(downloadMissing && { downloadMissing }) };
    return nextPoll(row, { outcome, lateness: 0 }, START, 0) - START;
  };
  expect([after(1), after(3)]).toEqual([5_000, 20_000]);
  expect(after(undefined)).toBe(nextPollAt(processing(40, 20), START) - START);
});
