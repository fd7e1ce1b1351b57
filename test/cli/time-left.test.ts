import { expect, test } from 'vitest';
import { createTimeLeft } from '../../cli/requests/time-left.ts';
import type { VideoRequest } from '../../client/client.ts';

/** A request that is looked at as time goes on; seconds. */
function watch() {
  let second = 0;
  let timeLeft = createTimeLeft(() => second * 1_000);
  return (at: number, progress: number | null, observedAt: number, status = 'processing') => {
    second = at;
    if (at === 0) timeLeft = createTimeLeft(() => second * 1_000);
    const lastPolledAt = new Date(observedAt * 1_000).toISOString();
    const left = timeLeft({ requestId: 'a', status, progress, lastPolledAt } as VideoRequest);
    return left && left / 1_000;
  };
}

test('the time left follows from the observations, and counts down between two of them', () => {
  const left = watch();
  expect(left(0, 20, 0)).toBeUndefined();
  expect(left(9, 20, 0)).toBeUndefined();
  // 40 % in 8 s, and the same amount is left.
  expect(left(10, 60, 8)).toBe(8);
  expect(left(13, 60, 8)).toBe(5);
  expect(left(18, 60, 8)).toBeUndefined();
  // 50 % in 20 s; 30 % are left.
  expect(left(21, 70, 20)).toBe(12);
});

test('another status begins again, and what has no progress has no time left', () => {
  const left = watch();
  expect(left(0, null, 0)).toBeUndefined();
  left(1, 0, 1);
  expect(left(11, 50, 11)).toBe(10);
  expect(left(12, 50, 12, 'postprocessing')).toBeUndefined();
});
