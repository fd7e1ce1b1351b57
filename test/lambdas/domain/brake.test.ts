import { expect, test } from 'vitest';
import { braked } from '../../../lambdas/domain/brake.ts';

test('without Retry-After the wait doubles from 5 s to 5 min', () => {
  let brake = braked(undefined, { reason: 'throttled' }, 0, 0);
  const waits = [brake.until];
  for (let i = 0; i < 7; i++) {
    brake = braked(brake, { reason: 'throttled' }, 0, 0);
    waits.push(brake.until);
  }
  expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
});

test('a Retry-After is kept, up to an hour', () => {
  expect(braked(undefined, { reason: 'throttled', retryAfterMs: 77_000 }, 1_000, 0.5).until).toBe(78_000);
  expect(braked(undefined, { reason: 'throttled', retryAfterMs: 1e12 }, 0, 0).until).toBe(3_600_000);
});

test('a wrong key is tried again each minute, however often it was refused', () => {
  const brake = braked({ reason: 'unauthorized', strikes: 50, until: 0 }, { reason: 'unauthorized' }, 0, 0.9);
  expect(brake).toEqual({ reason: 'unauthorized', strikes: 51, until: 60_000 });
});
