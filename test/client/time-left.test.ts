import { expect, test } from 'vitest';
import type { VideoRequest } from '../../client/client.ts';
import { timeLeft } from '../../client/time-left.ts';

const at = (second: number) => new Date(second * 1_000).toISOString();

/** The time left of a request that was registered at 0, s. */
function left(now: number, fields: Partial<VideoRequest>): number | undefined {
  const request = {
    state: 'active',
    status: 'processing',
    progress: null,
    registeredAt: at(0),
    lastPolledAt: at(now),
    ...fields,
  } as VideoRequest;
  const ms = timeLeft(request, now * 1_000);
  return ms && ms / 1_000;
}

test('the time left follows from the progress at the last poll', () => {
  expect(left(20, { progress: 20 })).toBe(80);
  expect(left(40, { progress: 20 })).toBe(160);
});

test('it counts down between two polls, and ends', () => {
  const polled = { progress: 50, lastPolledAt: at(10) };
  expect([13, 19, 20, 30].map((now) => left(now, polled))).toEqual([7, 1, undefined, undefined]);
});

test("upstream's upper estimate stands in until there is enough progress", () => {
  const estimates = { time: [60, 90] };
  expect(left(10, { estimates, status: 'requested' })).toBe(80);
  expect(left(10, { estimates, progress: 4 })).toBe(80);
  expect(left(10, { estimates, progress: 5 })).toBe(190);
  expect(left(10, { progress: 4 })).toBeUndefined();
});

test.each([
  { state: 'done', status: 'complete' },
  { state: 'active', status: 'complete' },
  { state: 'active', status: 'canceling' },
  { state: 'stopped', status: 'processing' },
  { state: 'parked', status: 'processing' },
] as const)('a request that is $state and $status has no time left', (fields) => {
  expect(left(20, { ...fields, progress: 20, estimates: { time: [60, 90] } })).toBeUndefined();
});
