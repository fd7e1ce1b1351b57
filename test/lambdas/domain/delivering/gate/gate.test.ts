import { expect, test } from 'vitest';
import {
  crowdedCheckAt,
  GATE_LANE,
  intervalOf,
  isAwake,
  nextProbeAt,
} from '../../../../../lambdas/domain/delivering/gate/gate.ts';
import { intervalMs } from '../../../../../lambdas/domain/rate-interval.ts';
import { endpointRow } from '../../../../support/rows.ts';

const NOW = 1_000_000_000;

test('a backlog is released at the rate that the limit allows', () => {
  expect(intervalOf({ rateLimit: 0.01 })).toBe(intervalMs(0.01));
});

test('a gate is awake while it is due for its backlog, and not while it only waits for its last check', () => {
  expect(isAwake({})).toBe(false);
  expect(isAwake({ lane: GATE_LANE, dueAt: 1 })).toBe(true);
  expect(isAwake({ lane: GATE_LANE, dueAt: 1, quietSince: 0 })).toBe(false);
  expect(isAwake({ lane: 'parked', dueAt: 1 })).toBe(false);
});

test('a gate checks for a free slot ever later while it finds none, from 1 s to 1 min', () => {
  expect(crowdedCheckAt({}, NOW)).toBe(NOW + 1_000);
  expect(crowdedCheckAt({ crowdedSince: NOW - 20_000 }, NOW)).toBe(NOW + 5_000);
  expect(crowdedCheckAt({ crowdedSince: NOW - 3_600_000 }, NOW)).toBe(NOW + 60_000);
});

test('the next probe is when the gate with an open breaker is due, unless a worker is at it', () => {
  const open = { state: 'failing', failingSince: 1, openSince: 1 } as const;
  const due = { lane: GATE_LANE, dueAt: NOW };
  const at = (changes: Parameters<typeof endpointRow>[1]) => nextProbeAt(endpointRow(1, changes));
  expect(at({ health: open, ...due })).toBe(NOW);
  expect(at({ health: open, ...due, owner: 'a worker' })).toBeUndefined();
  expect(at({ health: open, ...due, quietSince: NOW })).toBeUndefined();
  expect(at(due)).toBeUndefined();
});
