import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPollLimiter } from '../../../../lambdas/domain/polling/poll-limiter.ts';

test('starts are never earlier than asked for, and keep their distance with a margin for jitter', () => {
  const asks = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 100, noNaN: true }), asks, (perSecond, froms) => {
      const limiter = createPollLimiter(perSecond);
      let last = Number.NEGATIVE_INFINITY;
      for (const from of froms) {
        const start = limiter.acquire(from);
        expect(start).toBeGreaterThanOrEqual(from);
        expect(start).toBeGreaterThanOrEqual(last + 1050 / perSecond - 1e-6);
        last = start;
      }
    }),
  );
});

test('after a pause the next start is at once', () => {
  const limiter = createPollLimiter(5);
  limiter.acquire(0);
  expect(limiter.acquire(10_000)).toBe(10_000);
});
