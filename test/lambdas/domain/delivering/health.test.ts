import { describe, expect, test } from 'vitest';
import {
  afterAttemptAt,
  disabled,
  type EndpointHealth,
  enabledAgain,
  FAILURES_TO_OPEN,
  GIVE_UP_AFTER_MS,
  halfOpen,
  isOpen,
  isProven,
  mostAtOnce,
  probeAt,
  SLOW_MS,
} from '../../../../lambdas/domain/delivering/health.ts';

const NOW = 1_000_000_000_000;
const MINUTE = 60_000;
const healthy: EndpointHealth = { state: 'healthy', lastDeliveredAt: NOW - 1_000 };
const success = (durationMs = 10) => ({ at: NOW, durationMs, statusCode: 204 });
const failure = (durationMs = 10) => ({ at: NOW, durationMs, statusCode: 500 });

test('only an endpoint that has delivered, answers and is quick is proven', () => {
  expect(isProven(healthy)).toBe(true);
  for (const health of [
    { state: 'healthy' },
    { ...healthy, slow: true },
    { ...healthy, state: 'failing' },
  ] satisfies EndpointHealth[]) {
    expect(isProven(health)).toBe(false);
  }
});

test('the worse an endpoint is, the fewer attempts at a time it gets; a proven one is not counted', () => {
  expect(mostAtOnce(healthy)).toBeUndefined();
  expect(mostAtOnce({ ...healthy, slow: true })).toBe(5);
  expect(mostAtOnce({ state: 'healthy' })).toBe(3);
  expect(mostAtOnce({ state: 'failing', failingSince: NOW, slow: true })).toBe(2);
});

describe('a success', () => {
  test('of a healthy endpoint is written down once a minute', () => {
    expect(afterAttemptAt(healthy, success(), NOW)).toBeUndefined();
    expect(afterAttemptAt(healthy, success(), NOW + MINUTE)).toEqual({
      health: { state: 'healthy', lastDeliveredAt: NOW + MINUTE },
    });
  });

  test('that takes long makes it slow, and one that does not makes it quick again', () => {
    const slow = afterAttemptAt(healthy, success(SLOW_MS), NOW)!.health;
    expect(slow).toEqual({ state: 'healthy', lastDeliveredAt: NOW, slow: true });
    expect(afterAttemptAt(slow, success(SLOW_MS), NOW)).toBeUndefined();
    expect(afterAttemptAt(slow, success(), NOW)!.health).toEqual({ state: 'healthy', lastDeliveredAt: NOW });
  });

  test('closes the breaker and is told', () => {
    const open: EndpointHealth = {
      state: 'failing',
      failingSince: NOW - 10,
      failures: 5,
      openSince: NOW - 10,
    };
    expect(afterAttemptAt(open, success(), NOW)).toEqual({
      health: { state: 'healthy', lastDeliveredAt: NOW },
      news: 'closed',
      recovered: true,
    });
  });

  test('after a short trouble is no news, after a long one it is', () => {
    const failing = (failingSince: number): EndpointHealth => ({
      state: 'failing',
      failingSince,
      failures: 1,
    });
    expect(afterAttemptAt(failing(NOW - MINUTE + 1), success(), NOW)).not.toHaveProperty('recovered');
    expect(afterAttemptAt(failing(NOW - MINUTE), success(), NOW)).toMatchObject({ recovered: true });
  });

  test('after it was given up and enabled again is told', () => {
    const again = enabledAgain(disabled({ state: 'failing', failingSince: 0 }), true);
    expect(isProven(again)).toBe(false);
    const change = afterAttemptAt(again, success(), NOW);
    expect(change).toEqual({ health: { state: 'healthy', lastDeliveredAt: NOW }, recovered: true });
  });
});

describe('a failure', () => {
  test('makes an endpoint failing since the first, and the fifth in a row opens the breaker', () => {
    let health = healthy;
    for (let nth = 1; nth < FAILURES_TO_OPEN; nth++) {
      const change = afterAttemptAt(health, failure(), NOW + nth)!;
      expect(change).toEqual({
        health: { ...healthy, state: 'failing', failingSince: NOW + 1, failures: nth },
      });
      health = change.health;
    }
    const opened = afterAttemptAt(health, failure(), NOW + 100)!;
    expect(opened).toMatchObject({ news: 'opened', health: { openSince: NOW + 100 } });
    expect(afterAttemptAt(opened.health, failure(), NOW + 101)).toBeUndefined();
  });

  test.each([
    ['a time-out', { error: 'timeout' }],
    ['a name that is not resolved in time', { error: 'dns' }],
    ['a late status', { statusCode: 500 }],
  ])('that took most of its time, by %s, opens the breaker alone', (_what, outcome) => {
    const change = afterAttemptAt(healthy, { at: NOW, durationMs: 14_000, ...outcome }, NOW);
    expect(change).toMatchObject({ news: 'opened' });
  });

  test('that comes quickly opens nothing, whatever it is called', () => {
    const attempt = { at: NOW, durationMs: 20, error: 'connect_timeout' };
    expect(isOpen(afterAttemptAt(healthy, attempt, NOW)!.health)).toBe(false);
  });

  test('opens a half-open breaker again', () => {
    const open: EndpointHealth = { state: 'failing', failingSince: NOW, failures: 5, openSince: NOW };
    expect(isOpen(halfOpen(open))).toBe(false);
    expect(afterAttemptAt(halfOpen(open), failure(), NOW)).toMatchObject({ news: 'opened' });
  });

  test('after five days of them gives the endpoint up, after less it does not', () => {
    const since = (failingSince: number): EndpointHealth => ({
      state: 'failing',
      failingSince,
      failures: 5,
      openSince: failingSince,
    });
    expect(afterAttemptAt(since(NOW - GIVE_UP_AFTER_MS + 1), failure(), NOW)).toBeUndefined();
    expect(afterAttemptAt(since(NOW - GIVE_UP_AFTER_MS), failure(), NOW)).toEqual({
      health: { state: 'disabled', failingSince: NOW - GIVE_UP_AFTER_MS },
      news: 'given up',
    });
  });
});

test('what still comes back from a disabled endpoint changes nothing', () => {
  expect(afterAttemptAt(disabled(healthy), success(), NOW)).toBeUndefined();
  expect(afterAttemptAt(disabled(healthy), failure(), NOW)).toBeUndefined();
});

test('what a person enables again is forgiven, and keeps its last delivery', () => {
  const failing: EndpointHealth = { ...healthy, state: 'failing', failingSince: 1, failures: 4 };
  expect(enabledAgain(disabled(failing))).toEqual(healthy);
  expect(enabledAgain({ state: 'disabled' })).toEqual({ state: 'healthy' });
});

test('probes come ever later, from 15 s to 5 min', () => {
  const failing = (ms: number): EndpointHealth => ({ state: 'failing', failingSince: NOW - ms });
  expect(probeAt(failing(0), NOW)).toBe(NOW + 15_000);
  expect(probeAt(failing(4 * MINUTE), NOW)).toBe(NOW + MINUTE);
  expect(probeAt(failing(60 * MINUTE), NOW)).toBe(NOW + 5 * MINUTE);
});
