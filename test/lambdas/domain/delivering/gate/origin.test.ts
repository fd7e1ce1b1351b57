import { expect, test } from 'vitest';
import { SLOW_MS } from '../../../../../lambdas/domain/delivering/gate/health.ts';
import { afterOutcomeAtOrigin, newOrigin } from '../../../../../lambdas/domain/delivering/gate/origin.ts';

const NOW = 1_000_000_000_000;
const origin = newOrigin('https://shared.example');
const quick = { succeeded: true, durationMs: 10 };
const quickFailure = { succeeded: false, durationMs: 10 };
const long = { succeeded: false, durationMs: SLOW_MS };

test('a quick failure says nothing about the server: it is the fault of one URL', () => {
  expect(afterOutcomeAtOrigin(origin, quickFailure, false, NOW)).toBeUndefined();
});

test('a long attempt makes it slow, unless the callback was slow or failing before', () => {
  expect(afterOutcomeAtOrigin(origin, long, false, NOW)).toMatchObject({ slow: true });
  expect(afterOutcomeAtOrigin(origin, long, true, NOW)).toBeUndefined();
  expect(afterOutcomeAtOrigin({ ...origin, slow: true }, long, false, NOW)).toBeUndefined();
});

test('a quick delivery makes it quick, and is recorded once a minute', () => {
  expect(afterOutcomeAtOrigin({ ...origin, slow: true, lastDeliveredAt: NOW }, quick, false, NOW)).toEqual({
    lastDeliveredAt: NOW,
  });
  expect(
    afterOutcomeAtOrigin({ ...origin, lastDeliveredAt: NOW }, quick, false, NOW + 59_000),
  ).toBeUndefined();
  expect(afterOutcomeAtOrigin({ ...origin, lastDeliveredAt: NOW }, quick, false, NOW + 61_000)).toEqual({
    lastDeliveredAt: NOW + 61_000,
  });
});
