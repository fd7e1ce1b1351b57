import { expect, test } from 'vitest';
import type { Attempt } from '../../../../lambdas/domain/delivering/attempt.ts';
import type { DeliveryRow } from '../../../../lambdas/domain/delivering/delivery.ts';
import { afterAttempt } from '../../../../lambdas/domain/delivering/delivery-outcome.ts';
import { numberEvents } from '../../../../lambdas/domain/events/event.ts';
import { deliveryRow, endpointRow, REQUEST_ID, START } from '../../../support/rows.ts';

const endpoint = endpointRow(1);
const { rows } = numberEvents(
  { kind: 'request', requestId: REQUEST_ID },
  { sequence: 0, position: 0 },
  [{ type: 'video.accepted', data: {} }],
  START,
);
const delivery: DeliveryRow = deliveryRow(rows[0] as (typeof rows)[0], endpoint);
const answer = (statusCode: number): Attempt => ({ at: START, durationMs: 5, statusCode });

test.each([200, 201, 204, 299])('%i is success', (statusCode) => {
  const outcome = afterAttempt(delivery, answer(statusCode), START, 0);
  expect(outcome.set).toMatchObject({ state: 'delivered', attemptCount: 1 });
  expect(outcome).not.toHaveProperty('dueAt');
});

test.each([100, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503])('%i is tried again', (statusCode) => {
  expect(afterAttempt(delivery, answer(statusCode), START, 0)).toMatchObject({
    dueAt: START + 5_000,
  });
});

test('after the whole schedule the delivery has failed', () => {
  const outcome = afterAttempt({ ...delivery, failures: 9 }, answer(500), START, 0);
  expect(outcome).toMatchObject({ set: { state: 'failed', failures: 10 } });
});

test('the log of attempts is bounded, their count is not', () => {
  const attempts = Array.from({ length: 12 }, () => answer(500));
  const outcome = afterAttempt({ ...delivery, attempts, attemptCount: 40 }, answer(500), START, 0);
  expect(outcome.set.attempts).toHaveLength(12);
  expect(outcome.set.attemptCount).toBe(41);
});
