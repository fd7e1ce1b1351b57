import { expect, test } from 'vitest';
import {
  heldUntil,
  paused,
  pauseReason,
  type UpstreamPause,
} from '../../../../lambdas/domain/polling/upstream-pause.ts';

test('without Retry-After the wait doubles from 5 s to 5 min', () => {
  let pause: UpstreamPause | undefined;
  const waits = Array.from({ length: 8 }, () => {
    const now = pause?.until ?? 0;
    pause = paused(pause, { reason: 'throttled' }, now, 0);
    return pause.until - now;
  });
  expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
});

test('a Retry-After is kept, from a second up to a quarter of an hour', () => {
  const wait = (retryAfterMs: number) =>
    paused(undefined, { reason: 'throttled', retryAfterMs }, 0, 0.5).until;
  expect([0, 77_000, 1e12].map(wait)).toEqual([1_000, 77_000, 900_000]);
});

test('a wrong or missing key is tried again after 5 s, then each minute, however often it was refused', () => {
  for (const reason of ['unauthorized', 'no-key'] as const) {
    expect(paused(undefined, { reason }, 0, 0)).toMatchObject({ strikes: 1, until: 5_000 });
    const pause = paused({ reason, strikes: 50, since: -1, until: 0 }, { reason }, 0, 0.9);
    expect(pause).toMatchObject({ reason, strikes: 51, since: -1, until: 60_000 });
  }
});

test('signals while paused are the same strike, and can only lengthen it', () => {
  const pause: UpstreamPause = { reason: 'throttled', strikes: 3, since: 0, until: 20_000 };
  expect(paused(pause, { reason: 'throttled' }, 10_000, 0)).toEqual(pause);
  expect(paused(pause, { reason: 'throttled', retryAfterMs: 5_000 }, 10_000, 0)).toEqual(pause);
  expect(paused(pause, { reason: 'throttled', retryAfterMs: 60_000 }, 10_000, 0)).toEqual({
    ...pause,
    until: 70_000,
  });
});

test('a signal of another kind begins to count again', () => {
  const pause: UpstreamPause = { reason: 'throttled', strikes: 7, since: 0, until: 0 };
  expect(paused(pause, { reason: 'unauthorized' }, 1, 0)).toMatchObject({ strikes: 1, since: 1 });
});

test('while the answer to a probe is waited for, polling is held', () => {
  const pause: UpstreamPause = { reason: 'throttled', strikes: 1, since: 0, until: 5_000 };
  expect(heldUntil(undefined)).toBeUndefined();
  expect(heldUntil(pause)).toBe(5_000);
  expect(heldUntil({ ...pause, probeUntil: 20_000 })).toBe(20_000);
});

test('the jitter lengthens a wait by a quarter at most, and no Retry-After', () => {
  const wait = (random: number, retryAfterMs?: number) =>
    paused(undefined, { reason: 'throttled', retryAfterMs }, 0, random).until;
  expect([0, 0.5, 0.9999].map((random) => wait(random))).toEqual([5_000, 5_625, 6_250]);
  expect(wait(0.5, 77_000)).toBe(77_000);
});

test('a pause says what to put right: what upstream said, or what its reason means', () => {
  const detail = 'the key has no access to video';
  expect(pauseReason({ reason: 'unauthorized', detail })).toBe(detail);
  const reasons = (['unauthorized', 'throttled', 'no-key'] as const).map((reason) => pauseReason({ reason }));
  expect(reasons).toEqual([
    expect.stringContaining('refuses the API key'),
    expect.stringContaining('rate of polls'),
    expect.stringContaining('no Topaz API key'),
  ]);
  expect(paused(undefined, { reason: 'no-key', detail }, 5, 0)).toEqual({
    reason: 'no-key',
    detail,
    strikes: 1,
    since: 5,
    until: 5_005,
  });
});

test('a pause ends at its end: the next signal is another strike', () => {
  const pause: UpstreamPause = { reason: 'throttled', strikes: 1, since: 0, until: 5_000 };
  expect(paused(pause, { reason: 'throttled' }, 4_999, 0)).toBe(pause);
  expect(paused(pause, { reason: 'throttled' }, 5_000, 0)).toMatchObject({
    strikes: 2,
    since: 0,
    until: 15_000,
  });
});
