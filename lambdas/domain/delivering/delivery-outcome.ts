import { ATTEMPTS_KEPT, type Attempt, isSuccess } from './attempt.ts';
import type { DeliveryRow } from './delivery.ts';
import { nextAttemptAt } from './retry-schedule.ts';

/** What an attempt changes of its delivery, and when the next attempt is, if there is one. */
type DeliveryOutcome =
  | { readonly set: Partial<DeliveryRow> & { state: 'delivered' | 'failed' } }
  | { readonly set: Partial<DeliveryRow>; readonly dueAt: number };

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
  const kept = withAttempt(row, attempt);
  if (isSuccess(attempt)) return { set: { ...kept, state: 'delivered' } };
  const failures = row.failures + 1;
  const dueAt = nextAttemptAt(failures, now, random, retryAfterMs);
  if (dueAt !== undefined) return { set: { ...kept, failures }, dueAt };
  return { set: { ...kept, failures, state: 'failed' } };
}

/** What a delivery keeps of one more attempt. */
export const withAttempt = ({ attempts, attemptCount }: DeliveryRow, attempt: Attempt) => ({
  attempts: [...attempts, attempt].slice(-ATTEMPTS_KEPT),
  attemptCount: attemptCount + 1,
});
