import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AHEAD_MS,
  admit,
  busyAt,
  intervalMs,
  NO_TURNS,
  planned,
  type Turns,
} from '../../../../lambdas/domain/delivering/rate-limiter.ts';

const NOW = 1_000_000_000;
const HOUR = 3_600_000;
const wish = { nonce: 'mine', now: NOW, until: NOW + 90_000, patience: 50 };

test('as many attempts are under way as may be at once, and each that ends makes room', () => {
  const first = admit(NO_TURNS, { ...wish, nonce: 'a', atOnce: 2 })!.turns;
  const second = admit(first, { ...wish, nonce: 'b', atOnce: 2 })!.turns;
  expect(busyAt(second, NOW)).toBe(2);
  expect(admit(second, { ...wish, atOnce: 2 })).toBeUndefined();
  const { a, ...busy } = second.busy;
  expect(admit({ ...second, busy }, { ...wish, atOnce: 2 })).toMatchObject({ sendAt: NOW });
});

test('an attempt that never said that it ended stops counting at its time, and is forgotten', () => {
  const turns: Turns = { nextAt: 0, busy: { gone: NOW + 10 } };
  expect(admit(turns, { ...wish, atOnce: 1 })).toBeUndefined();
  const later = admit(turns, { ...wish, now: NOW + 10, until: NOW + 90_010, atOnce: 1 });
  expect(later?.turns.busy).toEqual({ mine: NOW + 90_010 });
});

test('without a limit an attempt goes out at once and leaves no trace', () => {
  expect(admit(NO_TURNS, wish)).toEqual({ sendAt: NOW, turns: NO_TURNS });
});

test('a turn that comes later than the patience lasts is not taken', () => {
  const turns = { nextAt: NOW + 51, busy: {} };
  expect(admit(turns, { ...wish, perSecond: 10 })).toBeUndefined();
  expect(admit(turns, { ...wish, perSecond: 10, patience: 51 })).toMatchObject({ sendAt: NOW + 51 });
});

test.each([
  ['the next turn', { nextAt: NOW + HOUR, busy: {} }],
  ['attempts under way', { nextAt: 0, busy: { theirs: NOW + HOUR } }],
])('a clock that was an hour ahead keeps nobody waiting by %s', (_what, turns) => {
  expect(admit(turns, { ...wish, atOnce: 1, perSecond: 0.01 })).toMatchObject({ sendAt: NOW });
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
      let turns = NO_TURNS;
      const sent = arrivals
        .toSorted((a, b) => a - b)
        .map((now) => {
          const admission = admit(turns, { ...wish, now, perSecond, patience: 2_000 });
          if (!admission) throw new Error('refused');
          turns = admission.turns;
          return admission.sendAt;
        });
      for (const [i, at] of sent.slice(1).entries())
        expect(at - sent[i]!).toBeGreaterThanOrEqual(interval - 0.001);
    }),
  );
});
