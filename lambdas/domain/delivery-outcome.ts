import { ATTEMPTS_KEPT, type Attempt, type DeliveryRow, type DeliveryState, failedLane } from './delivery.ts';
import type { EndpointHealth, EndpointRow } from './endpoint.ts';
import { nextAttemptAt } from './retry-schedule.ts';

/** What an attempt changes of its delivery. */
export type DeliveryOutcome = {
  readonly set: Partial<DeliveryRow>;
  /** `deliver-slow` while attempts are left; the list of the failed ones when none is. */
  readonly lane?: string;
  readonly dueAt?: number;
};

const isSuccess = (attempt: Attempt): boolean =>
  attempt.statusCode !== undefined &&
  attempt.error === undefined &&
  attempt.statusCode >= 200 &&
  attempt.statusCode < 300;

/** The endpoint says that it is no longer there (Standard Webhooks): it is disabled. */
export const isGone = (attempt: Attempt): boolean => attempt.statusCode === 410;

/**
 * The delivery after one more attempt: delivered on any 2xx, tried again by the schedule otherwise,
 * failed when the schedule is exhausted.
 */
export function afterAttempt(
  row: DeliveryRow,
  attempt: Attempt,
  now: number,
  random: number,
  retryAfterMs?: number,
): DeliveryOutcome {
  const attempts = [...row.attempts, attempt].slice(-ATTEMPTS_KEPT);
  const kept = { attempts, attemptCount: row.attemptCount + 1 };
  if (isSuccess(attempt)) return { set: { ...kept, state: 'delivered' satisfies DeliveryState } };
  const failures = row.failures + 1;
  const dueAt = nextAttemptAt(failures, now, random, retryAfterMs);
  if (dueAt !== undefined) return { set: { ...kept, failures }, lane: 'deliver-slow', dueAt };
  return { set: { ...kept, failures, state: 'failed' }, lane: failedLane(row.endpointId), dueAt: now };
}

/** The endpoint's health after an attempt, or undefined when nothing worth a write has changed. */
export function healthAfter(
  endpoint: EndpointRow,
  attempt: Attempt,
  now: number,
): EndpointHealth | undefined {
  const { health } = endpoint;
  if (!isSuccess(attempt)) {
    return health.state === 'healthy' ? { ...health, state: 'failing', failingSince: now } : undefined;
  }
  const stale = health.lastDeliveredAt === undefined || now - health.lastDeliveredAt > 60_000;
  if (health.state === 'healthy' && !stale) return undefined;
  return { state: 'healthy', lastDeliveredAt: now };
}
