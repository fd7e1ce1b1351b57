import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AHEAD_MS,
  admit,
  busyAt,
  intervalMs,
  type LimiterState,
  planned,
  UNUSED,
} from '../../../../lambdas/domain/delivering/rate-limiter.ts';

const NOW = 1_000_000_000;
const HOUR = 3_600_000;
const asked = { nonce: 'mine', now: NOW, until: NOW + 90_000, maxWaitMs: 50 };

test('as many attempts are under way as may be at once, and each that ends makes room', () => {
  const first = admit(UNUSED, { ...asked, nonce: 'a', atOnce: 2 })!.turns;
  const second = admit(first, { ...asked, nonce: 'b', atOnce: 2 })!.turns;
  expect(busyAt(second, NOW)).toBe(2);
  expect(admit(second, { ...asked, atOnce: 2 })).toBeUndefined();
  const { a, ...busy } = second.busy;
  expect(admit({ ...second, busy }, { ...asked, atOnce: 2 })).toMatchObject({ sendAt: NOW });
});

test('an attempt that never said that it ended stops counting at its time, and is forgotten', () => {
  const turns: LimiterState = { nextAt: 0, busy: { gone: NOW + 10 } };
  expect(admit(turns, { ...asked, atOnce: 1 })).toBeUndefined();
  const later = admit(turns, { ...asked, now: NOW + 10, until: NOW + 90_010, atOnce: 1 });
  expect(later?.turns.busy).toEqual({ mine: NOW + 90_010 });
});

test('without a limit an attempt goes out at once and leaves no trace', () => {
  expect(admit(UNUSED, asked)).toEqual({ sendAt: NOW, turns: UNUSED });
});

test('a turn that comes later than the maxWaitMs lasts is not taken', () => {
  const turns = { nextAt: NOW + 51, busy: {} };
  expect(admit(turns, { ...asked, perSecond: 10 })).toBeUndefined();
  expect(admit(turns, { ...asked, perSecond: 10, maxWaitMs: 51 })).toMatchObject({ sendAt: NOW + 51 });
});

test.each([
  ['the next turn', { nextAt: NOW + HOUR, busy: {} }],
  ['attempts under way', { nextAt: 0, busy: { theirs: NOW + HOUR } }],
])('a clock that was an hour ahead keeps nobody waiting by %s', (_what, turns) => {
  expect(admit(turns, { ...asked, atOnce: 1, perSecond: 0.01 })).toMatchObject({ sendAt: NOW });
});

test('a planned time counts as far ahead as anybody plans', () => {
  const interval = 105_000;
  const furthest = NOW + interval + AHEAD_MS;
  expect(planned(furthest, NOW, interval)).toBe(furthest);
  expect(planned(furthest + 1, NOW, interval)).toBe(NOW);
  expect(planned(NOW - 1, NOW, interval)).toBe(NOW);
});

test('attempts that are released at the pace of the limit all get their turns, however late each message comes', () => {
  const lateness = fc.integer({ min: 0, max: 2_000 });
  const rate = fc.constantFrom(0.01, 0.1, 0.5, 1, 5, 50);
  fc.assert(
    fc.property(rate, fc.array(lateness, { minLength: 2, maxLength: 50 }), (perSecond, late) => {
      const interval = intervalMs(perSecond);
      const arrivals = late.map((ms, i) => NOW + Math.ceil(i * interval) + ms);
      let turns = UNUSED;
      const sent = arrivals
        .toSorted((a, b) => a - b)
        .map((now) => {
          const admission = admit(turns, { ...asked, now, perSecond, maxWaitMs: 2_000 });
          if (!admission) throw new Error('refused');
          turns = admission.turns;
          return admission.sendAt;
        });
      for (const [i, at] of sent.slice(1).entries())
        expect(at - sent[i]!).toBeGreaterThanOrEqual(interval - 0.001);
    }),
  );
});
