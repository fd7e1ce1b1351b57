import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  callbackExpiry,
  eventExpiry,
  finishedExpiry,
  idempotencyExpiry,
  isExpired,
  outboxExpiry,
  requestExpiry,
} from '../../../lambdas/domain/retention.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');
const DAY_S = 86_400;
const inDays = (days: number) => NOON / 1000 + days * DAY_S;

test('what is finished is kept for the days that were set, in whole seconds and never less', () => {
  expect(finishedExpiry(NOON, 30)).toBe(inDays(30));
  expect(finishedExpiry(NOON + 1, 30)).toBe(inDays(30) + 1);
});

test('a request that has ended is kept until the end of that UTC day', () => {
  expect(requestExpiry(NOON, 30) * 1000).toBe(Date.parse('2026-12-24T00:00:00Z'));
  expect(requestExpiry(Date.parse('2026-11-23T00:00:00Z'), 30) * 1000).toBe(
    Date.parse('2026-12-23T00:00:00Z'),
  );
});

test('an event outlives the request that may still be unfinished, its outbox the event', () => {
  expect(eventExpiry(NOON, 30)).toBe(inDays(46));
  expect(outboxExpiry(eventExpiry(NOON, 30))).toBe(inDays(76));
});

test('what an idempotency key stands for is kept for a day', () => {
  expect(idempotencyExpiry(NOON)).toBe(inDays(1));
  expect(idempotencyExpiry(NOON + 1)).toBe(inDays(1) + 1);
});

test('a callback outlives all that a request may send it, and is renewed at most once a day', () => {
  const renewed = inDays(48);
  expect(callbackExpiry(NOON, 30, undefined)).toBe(renewed);
  expect(callbackExpiry(NOON, 30, inDays(47) + 1)).toBeUndefined();
  expect(callbackExpiry(NOON, 30, inDays(47))).toBe(renewed);
  fc.assert(
    fc.property(fc.nat(100 * DAY_S), fc.integer({ min: 1, max: 365 }), (ahead, days) => {
      const expiresAt = callbackExpiry(NOON, days, NOON / 1000 + ahead) ?? NOON / 1000 + ahead;
      expect(expiresAt).toBeGreaterThan(eventExpiry(NOON, days));
    }),
  );
});

test('a row is expired from its second on; one without an end never is', () => {
  expect(isExpired({ expiresAt: 10 }, 9_999)).toBe(false);
  expect(isExpired({ expiresAt: 10 }, 10_000)).toBe(true);
  expect(isExpired({}, Number.MAX_SAFE_INTEGER)).toBe(false);
});
