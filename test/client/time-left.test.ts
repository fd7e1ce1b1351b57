import { expect, test } from 'vitest';
import type { VideoRequest } from '../../client/client.ts';
import { timeLeft } from '../../client/time-left.ts';

test('the time left counts down between two polls, and ends', () => {
  const request = { expectedEndAt: '2026-11-01T10:00:20.000Z' } as VideoRequest;
  const left = (at: string) => timeLeft(request, Date.parse(`2026-11-01T10:00:${at}.000Z`));
  expect(['07', '19', '20', '30'].map(left)).toEqual([13_000, 1_000, undefined, undefined]);
});

test('of a request that nothing is known of there is none', () => {
  expect(timeLeft({} as VideoRequest, 0)).toBeUndefined();
});
