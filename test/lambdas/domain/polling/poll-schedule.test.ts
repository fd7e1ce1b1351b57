import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  GREATEST_GAP,
  LEAST_GAP,
  nextPollAt,
  type Observation,
  observe,
  type PollState,
} from '../../../../lambdas/domain/polling/poll-schedule.ts';

const start = Date.UTC(2026, 10, 23);

/** The state after polls at the given seconds, each with the status and progress it saw. */
function polled(...polls: [at: number, status: string, progress?: number][]): PollState {
  let state: PollState = { status: 'registered', registeredAt: start, statusSince: start, observations: [] };
  for (const [seconds, status, progress] of polls) {
    const at = start + seconds * 1000;
    const statusSince = status === state.status ? state.statusSince : at;
    const observations = observe(state.observations, { at, status, progress });
    state = { ...state, status, statusSince, progress, observations };
  }
  return state;
}

/** Seconds until the next poll. */
function gapAfter(state: PollState, seconds: number, price?: number): number {
  const now = start + seconds * 1000;
  return (nextPollAt(state, now, price) - now) / 1000;
}

const statuses = fc.constantFrom(
  'registered',
  'requested',
  'accepted',
  'initializing',
  'preprocessing',
  'processing',
  'postprocessing',
  'canceling',
  'complete',
  'unheard-of',
  'constructor',
);
const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -1, 50, 100, 101));
const moment = fc.oneof(anyNumber, fc.integer({ min: start - 1e9, max: start + 1e9 }));
const anyObservation = fc.record(
  { at: moment, status: statuses, progress: anyNumber, after: moment, until: moment },
  { requiredKeys: ['at'] },
);
const anyState: fc.Arbitrary<PollState> = fc.record(
  {
    status: statuses,
    registeredAt: moment,
    statusSince: moment,
    lastPolledAt: moment,
    progress: anyNumber,
    estimates: fc.record({ time: fc.tuple(anyNumber, anyNumber) }, { requiredKeys: [] }),
    observations: fc.array(anyObservation, { maxLength: 10 }),
  },
  { requiredKeys: ['status', 'registeredAt', 'statusSince', 'observations'] },
) as fc.Arbitrary<PollState>;

describe('nextPollAt', () => {
  it('answers any state, even a nonsensical one, with whole seconds between the least and greatest gap', () => {
    fc.assert(
      fc.property(anyState, fc.integer({ min: start, max: start + 1e9 }), (state, now) => {
        const gap = (nextPollAt(state, now) - now) / 1000;
        expect(Number.isInteger(gap)).toBe(true);
        expect(gap).toBeGreaterThanOrEqual(LEAST_GAP);
        expect(gap).toBeLessThanOrEqual(GREATEST_GAP);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never polls earlier when a poll costs more', () => {
    const price = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(anyState, price, price, (state, one, other) => {
        const cheap = nextPollAt(state, start, Math.min(one, other));
        expect(nextPollAt(state, start, Math.max(one, other))).toBeGreaterThanOrEqual(cheap);
      }),
    );
  });

  it('polls a job in a queue ever less often', () => {
    for (const status of ['accepted', 'unheard-of']) {
      const gaps = [10, 60, 600, 3_600, 14_400].map((age) => gapAfter(polled([0, status]), age));
      expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
      expect(new Set(gaps).size).toBeGreaterThan(3);
    }
  });

  it('waits longer for a job that upstream estimates to take longer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e5 }), fc.integer({ min: 1, max: 1e5 }), (one, other) => {
        const gap = (seconds: number) =>
          gapAfter({ ...polled([0, 'processing', 0]), estimates: { time: [seconds, seconds] } }, 0);
        expect(gap(Math.max(one, other))).toBeGreaterThanOrEqual(gap(Math.min(one, other)));
      }),
    );
  });

  it('takes an estimate that is no time for none', () => {
    const state = polled([0, 'processing', 0]);
    const none = gapAfter(state, 0);
    for (const time of [[0, 0], [-60, 60], [Number.NaN, 60], [60]] as [number, number][]) {
      expect(gapAfter({ ...state, estimates: { time } }, 0)).toBe(none);
    }
  });

  it('takes progress that is no number for none', () => {
    const without = polled([0, 'preprocessing'], [5, 'processing'], [20, 'processing']);
    for (const progress of [Number.NaN, Number.POSITIVE_INFINITY, -3]) {
      const state = polled([0, 'preprocessing'], [5, 'processing', progress], [20, 'processing', progress]);
      expect(gapAfter(state, 20)).toBe(gapAfter(without, 20));
    }
  });

  it('sleeps through the middle of a steady job and watches its end', () => {
    const begun: [number, string, number][] = [
      [0, 'preprocessing', 0],
      [2, 'processing', 0],
      [100, 'processing', 0],
      [104, 'processing', 10],
    ];
    const near = polled(
      ...begun,
      [900, 'processing', 80],
      [1_000, 'processing', 80],
      [1_004, 'processing', 90],
    );
    expect(gapAfter(polled(...begun), 104)).toBeGreaterThan(70);
    expect(gapAfter(near, 1_004)).toBeLessThan(100);
    expect(gapAfter(near, 1_095)).toBeLessThan(12);
  });

  it('takes progress given as a fraction of 1 for what it means', () => {
    const job = (share: number) =>
      polled(
        [0, 'preprocessing'],
        [2, 'processing', 0],
        [60, 'processing', 20 * share],
        [120, 'processing', 40 * share],
        [180, 'processing', 60 * share],
      );
    expect(gapAfter(job(0.01), 180)).toBe(gapAfter(job(1), 180));
  });

  it('lets no estimate, however far off, make polls four times rarer than none would', () => {
    const job = polled([0, 'preprocessing'], [2, 'processing'], [60, 'processing']);
    const time = fc.oneof(
      fc.constantFrom(1e9, Number.MAX_SAFE_INTEGER),
      fc.integer({ min: 3_600, max: 1e7 }),
    );
    fc.assert(
      fc.property(time, fc.integer({ min: 60, max: 7_200 }), (far, now) => {
        const gap = gapAfter({ ...job, estimates: { time: [far, far] } }, now);
        expect(gap).toBeLessThanOrEqual(4 * gapAfter(job, now));
      }),
    );
  });

  it('begins again where progress fell', () => {
    const before = polled([0, 'preprocessing'], [2, 'processing', 0], [100, 'processing', 50]);
    const fell = next(next(before, [110, 'processing', 10]), [150, 'processing', 20]);
    const fresh = polled([0, 'processing', 10], [40, 'processing', 20]);
    expect(gapAfter(fell, 150) / gapAfter(fresh, 40)).toBeGreaterThan(0.5);
    expect(gapAfter(fell, 150) / gapAfter(fresh, 40)).toBeLessThan(2);
  });

  it('thins out the longer progress stalls', () => {
    const job = polled(
      [0, 'preprocessing', 0],
      [2, 'processing', 0],
      [41, 'processing', 20],
      [81, 'processing', 40],
    );
    expect(gapAfter(job, 81 + 3_600)).toBeGreaterThan(1.5 * gapAfter(job, 81 + 150));
  });

  it('leaves a past stall out of the rate of progress', () => {
    const steady = polled(
      [0, 'preprocessing', 0],
      [2, 'processing', 0],
      [42, 'processing', 10],
      [82, 'processing', 20],
    );
    const end = (began: number): [number, string, number][] =>
      [30, 40, 50, 60, 70, 80, 90].map((percent, n) => [began + 40 * n, 'processing', percent]);
    const stalled = end(1_082).reduce((state, poll) => next(state, poll), steady);
    const smooth = end(122).reduce((state, poll) => next(state, poll), steady);
    expect(gapAfter(stalled, 1_082 + 240)).toBeLessThan(1.5 * gapAfter(smooth, 122 + 240));
  });

  it('is bounded for a job that was registered while it ran, and learns its rate from two levels', () => {
    const late = polled([0, 'processing', 50], [60, 'processing', 60], [62, 'processing', 60]);
    expect(gapAfter(late, 62)).toBeGreaterThan(20);
    expect(gapAfter(polled([0, 'processing', 100]), 1)).toBeLessThan(10);
  });
});

function next(state: PollState, [seconds, status, progress]: [number, string, number]): PollState {
  const at = start + seconds * 1000;
  return { ...state, status, progress, observations: observe(state.observations, { at, status, progress }) };
}

describe('observe', () => {
  it('remembers at most eight observations, in few bytes, in order, and always the beginning of the status', () => {
    const looks = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.option(fc.integer({ min: 0, max: 100 }))), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(looks, (sequence) => {
        let memory: Observation[] = [];
        let began = 0;
        let status = '';
        for (const [n, look] of sequence.entries()) {
          const at = start + n * 1000;
          if (look[0] !== status) began = at;
          status = look[0];
          memory = observe(memory, { at, status, progress: look[1] ?? undefined });
          expect(memory.length).toBeLessThanOrEqual(8);
          expect(memory[0]).toMatchObject({ at: began, status });
          expect(memory.map((entry) => entry.at)).toEqual(memory.map((entry) => entry.at).sort());
          expect(JSON.stringify(memory).length).toBeLessThan(700);
        }
      }),
    );
  });

  it('knows between which two polls each change came', () => {
    const { observations } = polled(
      [0, 'accepted'],
      [5, 'accepted'],
      [9, 'processing'],
      [12, 'processing', 4],
    );
    expect(observations).toEqual([
      { at: start + 9_000, after: start + 5_000, status: 'processing' },
      { at: start + 12_000, after: start + 9_000, progress: 4 },
    ]);
  });

  it('keeps the beginning and the latest changes, and names the status once', () => {
    const polls = Array.from({ length: 12 }, (_, n): [number, string, number] => [n, 'processing', n * 5]);
    const { observations } = polled(...polls);
    expect(observations.map(({ progress, status }) => [progress, status])).toEqual([
      [0, 'processing'],
      ...[25, 30, 35, 40, 45, 50, 55].map((progress) => [progress, undefined]),
    ]);
    expect(observe([], { at: 1 })).toEqual([{ at: 1 }]);
    expect(observe([], { at: 1, progress: Number.NaN })).toStrictEqual([{ at: 1 }]);
    expect(observe([], { at: 1, status: 'a', progress: 4 })).toEqual([{ at: 1, status: 'a', progress: 4 }]);
  });

  it('leaves what it was given untouched', () => {
    const before = Object.freeze([Object.freeze({ at: 1, status: 'accepted' })]);
    expect(observe(before, { at: 2, status: 'accepted' })).toEqual([{ at: 1, status: 'accepted', until: 2 }]);
    expect(before).toEqual([{ at: 1, status: 'accepted' }]);
  });
});
