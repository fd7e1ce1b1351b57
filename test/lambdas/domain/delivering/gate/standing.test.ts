import { expect, test } from 'vitest';
import type { EndpointHealth } from '../../../../../lambdas/domain/delivering/gate/health.ts';
import { newOrigin, type OriginRow } from '../../../../../lambdas/domain/delivering/gate/origin.ts';
import {
  isFast,
  laneOf,
  limitsOf,
  standingOf,
} from '../../../../../lambdas/domain/delivering/gate/standing.ts';
import { endpointRow } from '../../../../support/rows.ts';

const WORKERS = 50;
const proven: EndpointHealth = { state: 'healthy', lastDeliveredAt: 1 };
const target = (health: EndpointHealth, origin?: Partial<OriginRow>, rateLimit?: number) => ({
  endpoint: endpointRow(1, { health, ...(rateLimit ? { rateLimit } : {}) }),
  ...(origin ? { origin: { ...newOrigin('https://shared.example'), ...origin } } : {}),
});
const slotsOf = (...args: Parameters<typeof target>) =>
  limitsOf(target(...args), WORKERS).map(({ atOnce }) => atOnce);

test.each<[string, EndpointHealth, string, number[]]>([
  ['has delivered and answers quickly', proven, 'proven', []],
  ['was never sent anything', { state: 'healthy' }, 'new', [3]],
  ['is slow', { ...proven, slow: true }, 'slow', [25, 5]],
  ['fails', { ...proven, state: 'failing' }, 'failing', [2]],
  ['fails and is slow', { ...proven, state: 'failing', slow: true }, 'failing', [25, 2]],
  ['was given up and enabled again', { ...proven, recovering: true }, 'new', [3]],
])('an endpoint that %s', (_what, health, standing, slots) => {
  expect(standingOf(target(health))).toBe(standing);
  expect(slotsOf(health)).toEqual(slots);
  expect(isFast(target(health))).toBe(standing === 'proven');
});

test('a callback that was never sent anything has the standing of its origin', () => {
  const fresh: EndpointHealth = { state: 'healthy' };
  expect(laneOf(target(fresh, {}))).toBe('deliver-slow');
  expect(laneOf(target(fresh, { lastDeliveredAt: 1 }))).toBe('deliver');
  expect(laneOf(target(fresh, { lastDeliveredAt: 1, slow: true }))).toBe('deliver-slow');
});

test('the fast queue sends to no callback of a slow origin; one that worked is not counted with new and failing ones', () => {
  const slow = { slow: true, lastDeliveredAt: 1 } as const;
  expect(laneOf(target(proven, slow))).toBe('deliver-slow');
  expect(slotsOf(proven, slow)).toEqual([5]);
  expect(slotsOf({ state: 'healthy' }, slow)).toEqual([25, 3]);
  const keys = ([proven, { state: 'healthy' }, { state: 'failing' }] satisfies EndpointHealth[]).map(
    (health) => limitsOf(target(health, slow), WORKERS).at(-1)?.key.sk,
  );
  expect(new Set(keys).size).toBe(3);
});

test('a rate limit holds for a quick endpoint too, and makes it no slower', () => {
  expect(limitsOf(target(proven, undefined, 5), WORKERS)).toMatchObject([{ perSecond: 5 }]);
  expect(laneOf(target(proven, undefined, 5))).toBe('deliver');
});

test('all slow endpoints together leave half of the workers to others, however few there are', () => {
  const most = (workers: number) => limitsOf(target({ ...proven, slow: true }), workers)[0]?.atOnce;
  expect([50, 11, 2, 1].map(most)).toEqual([25, 5, 1, 1]);
});
