import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextPollAt, observe, type PollState } from '../../../lambdas/domain/polling/poll-schedule.ts';
import { demoTrace, positionAt, secondsIn, type Trace, traceSchema } from '../../../local/topaz/trace.ts';
import { SIMULATED_TRACE } from './simulated-topaz.ts';

const simulated = traceSchema.parse(SIMULATED_TRACE);

describe('a trace', () => {
  test('enters a status at its second and not before', () => {
    expect(positionAt(simulated, 0.93).status).toBe('requested');
    expect(positionAt(simulated, 0.94).status).toBe('accepted');
    expect(positionAt(simulated, 1e9).status).toBe('complete');
  });

  test('keeps the last progress until the next one is reached', () => {
    expect(positionAt(simulated, 128.13).progress).toBe(0);
    expect(positionAt(simulated, 128.14).progress).toBe(50);
    expect(positionAt(simulated, 161).progress).toBe(50);
  });

  test('has no progress before its first, or when it has none', () => {
    const late = traceSchema.parse({ statuses: [['processing', 0]], progress: [[5, 10]] });
    expect(positionAt(late, 4)).toEqual({ index: 0, status: 'processing' });
    expect(positionAt(traceSchema.parse({ statuses: [['complete', 0]] }), 9).progress).toBeUndefined();
  });

  test('stands at its first status even when that begins later', () => {
    expect(positionAt(traceSchema.parse({ statuses: [['accepted', 3]] }), 0).status).toBe('accepted');
  });

  test('never goes back as time goes on', () => {
    const second = fc.double({ min: 0, max: 60, noNaN: true });
    fc.assert(
      fc.property(second, second, (a, b) => {
        const [earlier, later] = [Math.min(a, b), Math.max(a, b)].map((at) => positionAt(demoTrace, at));
        expect(later!.index).toBeGreaterThanOrEqual(earlier!.index);
        expect(later!.progress ?? -1).toBeGreaterThanOrEqual(earlier!.progress ?? -1);
      }),
    );
  });

  test('tells how long it is in a status, zero for the last and for one it never enters', () => {
    expect(secondsIn(simulated, 'processing')).toBeCloseTo(74.9);
    expect(secondsIn(simulated, 'complete')).toBe(0);
    expect(secondsIn(simulated, 'failed')).toBe(0);
  });

  test('is taken without estimates, and with fields that are not known', () => {
    const trace = traceSchema.parse({ ...SIMULATED_TRACE, estimates: null, region: 'eu' });
    expect(trace.estimates).toBeNull();
  });

  test.each([
    ['has no statuses', { statuses: [] }],
    [
      'has statuses out of order',
      {
        statuses: [
          ['processing', 2],
          ['complete', 1],
        ],
      },
    ],
    [
      'has progress out of order',
      {
        ...SIMULATED_TRACE,
        progress: [
          [2, 5],
          [1, 6],
        ],
      },
    ],
    ['has an outcome that is not its last status', { ...SIMULATED_TRACE, outcome: 'failed' }],
    ['has a negative second', { statuses: [['requested', -1]] }],
  ])('is refused when it %s', (_, trace) => {
    expect(traceSchema.safeParse(trace).success).toBe(false);
  });
});

describe('the demonstration', () => {
  test('is soon complete, and no two polls of the bridge are far apart', () => {
    const at = pollsOf(demoTrace);
    expect(at.at(-1)).toBeLessThan(38);
    for (const [i, second] of at.entries()) expect(second - (at[i - 1] ?? 0)).toBeLessThan(12);
  });
});

/** When the bridge polls a job with this trace, to its end, in seconds from the registration. */
function pollsOf(trace: Trace): number[] {
  let state: PollState = { status: 'registered', registeredAt: 0, statusSince: 0, observations: [] };
  const polls: number[] = [];
  for (let now = 0; state.status !== 'complete'; now = nextPollAt(state, now)) {
    polls.push(now / 1000);
    const { index, status, progress } = positionAt(trace, now / 1000);
    const statusSince = status === state.status ? state.statusSince : now;
    const observations = observe(state.observations, { at: now, status, progress });
    const time: [number, number] = [trace.estimates!.time![0]!, trace.estimates!.time![1]!];
    state = {
      ...state,
      status,
      statusSince,
      progress,
      observations,
      ...(index > 0 && { estimates: { time } }),
    };
  }
  return polls;
}
