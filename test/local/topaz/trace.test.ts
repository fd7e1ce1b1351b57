import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { demoTrace, positionAt, secondsIn, traceSchema } from '../../../local/topaz/trace.ts';
import { RECORDED_TRACE } from './simulated-topaz.ts';

const recorded = traceSchema.parse(RECORDED_TRACE);

describe('a trace', () => {
  test('enters a status at its second and not before', () => {
    expect(positionAt(recorded, 0.93).status).toBe('requested');
    expect(positionAt(recorded, 0.94).status).toBe('accepted');
    expect(positionAt(recorded, 1e9).status).toBe('complete');
  });

  test('keeps the last progress until the next one is reached', () => {
    expect(positionAt(recorded, 128.13).progress).toBe(0);
    expect(positionAt(recorded, 128.14).progress).toBe(50);
    expect(positionAt(recorded, 161).progress).toBe(50);
  });

  test('has no progress before its first, or when none was recorded', () => {
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
    expect(secondsIn(recorded, 'processing')).toBeCloseTo(74.9);
    expect(secondsIn(recorded, 'complete')).toBe(0);
    expect(secondsIn(recorded, 'failed')).toBe(0);
  });

  test('is taken without estimates, and with fields that are not known', () => {
    const trace = traceSchema.parse({ ...RECORDED_TRACE, estimates: null, region: 'eu' });
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
        ...RECORDED_TRACE,
        progress: [
          [2, 5],
          [1, 6],
        ],
      },
    ],
    ['has an outcome that is not its last status', { ...RECORDED_TRACE, outcome: 'failed' }],
    ['has a negative second', { statuses: [['requested', -1]] }],
  ])('is refused when it %s', (_, trace) => {
    expect(traceSchema.safeParse(trace).success).toBe(false);
  });
});
