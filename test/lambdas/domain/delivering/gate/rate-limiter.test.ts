import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AHEAD_MS,
  busyAt,
  grant,
  type LimiterState,
  planned,
  UNUSED,
} from '../../../../../lambdas/domain/delivering/gate/rate-limiter.ts';
import { intervalMs } from '../../../../../lambdas/domain/rate-interval.ts';
import { LEASE_MS } from '../../../../../lambdas/domain/work.ts';

const NOW = 1_000_000_000;
const HOUR = 3_600_000;
const asked = { nonce: 'mine', now: NOW, maxWaitMs: 50 };

test('as many attempts are under way as may be at once, and each that ends makes room', () => {
  const two = { atOnce: 2 };
  const first = grant(UNUSED, two, { ...asked, nonce: 'a' })!.state;
  const second = grant(first, two, { ...asked, nonce: 'b' })!.state;
  expect(busyAt(second, NOW)).toBe(2);
  expect(grant(second, two, asked)).toBeUndefined();
  const { a, ...busy } = second.busy;
  expect(grant({ ...second, busy }, two, asked)).toMatchObject({ sendAt: NOW });
});

test('an attempt whose end was never recorded stops counting at its time, and is forgotten', () => {
  const state: LimiterState = { nextAt: 0, busy: { gone: NOW + 10 } };
  expect(grant(state, { atOnce: 1 }, asked)).toBeUndefined();
  const later = grant(state, { atOnce: 1 }, { ...asked, now: NOW + 10 });
  expect(later?.state.busy).toEqual({ mine: NOW + 10 + LEASE_MS });
});

test('a slot that comes later than the longest wait is not granted', () => {
  const state = { nextAt: NOW + 51, busy: {} };
  expect(grant(state, { perSecond: 10 }, asked)).toBeUndefined();
  expect(grant(state, { perSecond: 10 }, { ...asked, maxWaitMs: 51 })).toMatchObject({ sendAt: NOW + 51 });
});

test.each([
  ['the next slot', { nextAt: NOW + HOUR, busy: {} }],
  ['attempts under way', { nextAt: 0, busy: { theirs: NOW + HOUR } }],
])('a clock that was an hour ahead delays no attempt by %s', (_what, state) => {
  expect(grant(state, { atOnce: 1, perSecond: 0.01 }, asked)).toMatchObject({ sendAt: NOW });
});

test('a planned time counts as far ahead as workers plan', () => {
  const interval = 105_000;
  const furthest = NOW + interval + AHEAD_MS;
  expect(planned(furthest, NOW, interval)).toBe(furthest);
  expect(planned(furthest + 1, NOW, interval)).toBe(NOW);
  expect(planned(NOW - 1, NOW, interval)).toBe(NOW);
});

test('attempts that are released at the rate of the limit all get a slot, however late each message comes', () => {
  const lateness = fc.integer({ min: 0, max: 2_000 });
  const rate = fc.constantFrom(0.01, 0.1, 0.5, 1, 5, 50);
  fc.assert(
    fc.property(rate, fc.array(lateness, { minLength: 2, maxLength: 50 }), (perSecond, late) => {
      const interval = intervalMs(perSecond);
      const arrivals = late.map((ms, i) => NOW + Math.ceil(i * interval) + ms);
      let state = UNUSED;
      const sent = arrivals
        .toSorted((a, b) => a - b)
        .map((now) => {
          const granted = grant(state, { perSecond }, { ...asked, now, maxWaitMs: 2_000 });
          if (!granted) throw new Error('refused');
          state = granted.state;
          return granted.sendAt;
        });
      for (const [i, at] of sent.slice(1).entries())
        expect(at - sent[i]!).toBeGreaterThanOrEqual(interval - 0.001);
    }),
  );
});
