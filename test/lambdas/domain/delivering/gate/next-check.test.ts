import { describe, expect, test } from 'vitest';
import { QUIET_MS } from '../../../../../lambdas/domain/delivering/gate/gate.ts';
import { FAILURES_TO_OPEN } from '../../../../../lambdas/domain/delivering/gate/health.ts';
import { nextCheck, nextCheckWhileOpen } from '../../../../../lambdas/domain/delivering/gate/next-check.ts';
import { RELEASE_EVERY_MS } from '../../../../../lambdas/domain/delivering/gate/release-plan.ts';

const NOW = 1_000_000_000;
const someLeft = { released: 50, isEmpty: false, releasedUntil: NOW + 8_000, isCounted: false };
const noneLeft = { ...someLeft, isEmpty: true };
const noSlot = { released: 0, isEmpty: false, releasedUntil: NOW, isCounted: true };

describe('while deliveries are left', () => {
  test('a gate releases more before those that it released are gone', () => {
    const next = nextCheck({}, someLeft, NOW);
    expect(next).toMatchObject({ at: NOW + RELEASE_EVERY_MS, set: { releasedUntil: NOW + 8_000 } });
    expect(next.remove).toEqual(['quietSince', 'crowdedSince']);
  });

  test('a slow rate limit puts the next check off to the next start', () => {
    const releasedUntil = NOW + 3_600_000;
    expect(nextCheck({}, { ...someLeft, releasedUntil }, NOW).at).toBe(releasedUntil - RELEASE_EVERY_MS);
    const counted = { ...someLeft, releasedUntil, isCounted: true };
    expect(nextCheck({}, counted, NOW).at).toBe(releasedUntil - RELEASE_EVERY_MS);
  });

  test('a gate without a free slot checks less and less often, until it has released one', () => {
    expect(nextCheck({}, noSlot, NOW)).toMatchObject({ at: NOW + 1_000, set: { crowdedSince: NOW } });
    const crowdedSince = NOW - 40_000;
    expect(nextCheck({ crowdedSince }, noSlot, NOW)).toEqual({
      at: NOW + 10_000,
      set: { releasedUntil: NOW, crowdedSince },
      remove: ['quietSince'],
    });
    const one = { ...noSlot, released: 1 };
    expect(nextCheck({ crowdedSince }, one, NOW)).toMatchObject({
      at: NOW + 1_000,
      set: { crowdedSince: NOW },
    });
  });
});

describe('when the backlog is empty', () => {
  test('a gate becomes quiet, and stays due for a last check', () => {
    expect(nextCheck({ crowdedSince: NOW }, noneLeft, NOW)).toEqual({
      at: NOW + QUIET_MS,
      set: { quietSince: NOW, releasedUntil: NOW + 8_000 },
      remove: ['crowdedSince'],
    });
  });

  test('a check that comes early leaves the last check where it was', () => {
    const quietSince = NOW - 1_000;
    const next = nextCheck({ quietSince }, { ...noneLeft, released: 0 }, NOW);
    expect(next).toMatchObject({ at: quietSince + QUIET_MS, set: { quietSince } });
  });

  test('the last check that finds nothing lets the gate sleep', () => {
    const next = nextCheck({ quietSince: NOW - QUIET_MS }, { ...noneLeft, released: 0 }, NOW);
    expect(next).toEqual({
      at: 'asleep',
      set: {},
      remove: ['quietSince', 'crowdedSince', 'releasedUntil'],
    });
  });

  test('the last check that finds something is followed by another', () => {
    expect(nextCheck({ quietSince: NOW - QUIET_MS }, { ...noneLeft, released: 1 }, NOW).at).toBe(NOW);
  });
});

describe('while the breaker is open', () => {
  const health = { state: 'failing', failingSince: NOW - 240_000, openSince: NOW - 240_000 } as const;
  const gate = { health, stateVersion: 7 };

  test('the next probe follows a probe', () => {
    expect(nextCheckWhileOpen(gate, { released: 1 }, NOW)).toEqual({ at: NOW + 60_000, set: {}, remove: [] });
  });

  test('without a delivery to probe with, the next one that comes is the probe', () => {
    const { at, set } = nextCheckWhileOpen(gate, { released: 0 }, NOW);
    expect(at).toBe(NOW + QUIET_MS);
    expect(set).toMatchObject({ stateVersion: 8, quietSince: NOW });
    expect(set.health).toMatchObject({ failures: FAILURES_TO_OPEN - 1 });
    expect(set.health).not.toHaveProperty('openSince');
  });
});
