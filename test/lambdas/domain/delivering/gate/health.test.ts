import { describe, expect, test } from 'vitest';
import {
  afterOutcome,
  disabled,
  type EndpointHealth,
  enabledAgain,
  FAILURES_TO_OPEN,
  GIVE_UP_AFTER_MS,
  halfOpen,
  isOpen,
  probeAt,
  SLOW_MS,
} from '../../../../../lambdas/domain/delivering/gate/health.ts';

const NOW = 1_000_000_000_000;
const MINUTE = 60_000;
const healthy: EndpointHealth = { state: 'healthy', lastDeliveredAt: NOW - 1_000 };
const success = (durationMs = 10) => ({ succeeded: true, durationMs });
const failure = (durationMs = 10) => ({ succeeded: false, durationMs });

describe('a success', () => {
  test('of a healthy endpoint is written down once a minute', () => {
    expect(afterOutcome(healthy, success(), NOW)).toBeUndefined();
    expect(afterOutcome(healthy, success(), NOW + MINUTE)).toEqual({
      health: { state: 'healthy', lastDeliveredAt: NOW + MINUTE },
    });
  });

  test('that takes long makes it slow, and one that does not makes it quick again', () => {
    const slow = afterOutcome(healthy, success(SLOW_MS), NOW)!.health;
    expect(slow).toEqual({ state: 'healthy', lastDeliveredAt: NOW, slow: true });
    expect(afterOutcome(slow, success(SLOW_MS), NOW)).toBeUndefined();
    expect(afterOutcome(slow, success(), NOW)!.health).toEqual({ state: 'healthy', lastDeliveredAt: NOW });
  });

  test('closes the breaker and is reported', () => {
    const open: EndpointHealth = {
      state: 'failing',
      failingSince: NOW - 10,
      failures: 5,
      openSince: NOW - 10,
    };
    expect(afterOutcome(open, success(), NOW)).toEqual({
      health: { state: 'healthy', lastDeliveredAt: NOW },
      transition: 'closed',
      recovered: true,
    });
  });

  test('is reported after a long row of failures, not after a short one', () => {
    const failing = (failingSince: number): EndpointHealth => ({
      state: 'failing',
      failingSince,
      failures: 1,
    });
    expect(afterOutcome(failing(NOW - MINUTE + 1), success(), NOW)).not.toHaveProperty('recovered');
    expect(afterOutcome(failing(NOW - MINUTE), success(), NOW)).toMatchObject({ recovered: true });
  });

  test('is reported after the endpoint was given up and enabled again', () => {
    const again = enabledAgain(disabled({ state: 'failing', failingSince: 0 }), true);
    const change = afterOutcome(again, success(), NOW);
    expect(change).toEqual({ health: { state: 'healthy', lastDeliveredAt: NOW }, recovered: true });
  });
});

describe('a failure', () => {
  test('makes an endpoint failing since the first, and the fifth in a row opens the breaker', () => {
    let health = healthy;
    for (let nth = 1; nth < FAILURES_TO_OPEN; nth++) {
      const change = afterOutcome(health, failure(), NOW + nth)!;
      expect(change).toEqual({
        health: {
          ...healthy,
          state: 'failing',
          failingSince: NOW + 1,
          lastFailedAt: NOW + nth,
          failures: nth,
        },
      });
      health = change.health;
    }
    const opened = afterOutcome(health, failure(), NOW + 100)!;
    expect(opened).toMatchObject({ transition: 'opened', health: { openSince: NOW + 100 } });
    expect(afterOutcome(opened.health, failure(), NOW + 101)).toBeUndefined();
  });

  test('that took most of its time opens the breaker alone, and shows that the endpoint is slow', () => {
    const change = afterOutcome(healthy, failure(14_000), NOW);
    expect(change).toMatchObject({ transition: 'opened', health: { slow: true } });
  });

  test('that comes quickly opens nothing', () => {
    expect(isOpen(afterOutcome(healthy, failure(20), NOW)!.health)).toBe(false);
  });

  test('opens a half-open breaker again', () => {
    const open: EndpointHealth = { state: 'failing', failingSince: NOW, failures: 5, openSince: NOW };
    expect(isOpen(halfOpen(open))).toBe(false);
    expect(afterOutcome(halfOpen(open), failure(), NOW)).toMatchObject({ transition: 'opened' });
  });

  test('after five days of failures in a row gives the endpoint up, after less it does not', () => {
    const since = (failingSince: number): EndpointHealth => ({
      state: 'failing',
      failingSince,
      lastFailedAt: NOW - 1,
      failures: 5,
      openSince: failingSince,
    });
    expect(afterOutcome(since(NOW - GIVE_UP_AFTER_MS + 1), failure(), NOW)).toBeUndefined();
    expect(afterOutcome(since(NOW - GIVE_UP_AFTER_MS), failure(), NOW)).toEqual({
      health: { state: 'disabled', failingSince: NOW - GIVE_UP_AFTER_MS, lastFailedAt: NOW },
      transition: 'given up',
    });
  });

  test('five days after another, with nothing between, gives nothing up: they are not in a row', () => {
    const once = afterOutcome(healthy, failure(), NOW)!.health;
    const later = afterOutcome(once, failure(), NOW + GIVE_UP_AFTER_MS)!;
    expect(later.transition).toBeUndefined();
    expect(later.health.failingSince).toBe(NOW + GIVE_UP_AFTER_MS);
  });

  test('of an open breaker is recorded once an hour, so that the whole schedule of one delivery is a row', () => {
    let health: EndpointHealth = {
      state: 'failing',
      failingSince: NOW,
      lastFailedAt: NOW,
      failures: 5,
      openSince: NOW,
    };
    for (let at = NOW; at < NOW + GIVE_UP_AFTER_MS; at += 26.4 * 60 * MINUTE) {
      health = afterOutcome(health, failure(), at)?.health ?? health;
    }
    expect(health.failingSince).toBe(NOW);
    expect(afterOutcome(health, failure(), health.lastFailedAt! + 59 * MINUTE)).toBeUndefined();
  });
});

test('what still comes back from a disabled endpoint changes nothing', () => {
  expect(afterOutcome(disabled(healthy), success(), NOW)).toBeUndefined();
  expect(afterOutcome(disabled(healthy), failure(), NOW)).toBeUndefined();
});

test('an endpoint that a person enables again starts without failures, and keeps its last delivery', () => {
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
