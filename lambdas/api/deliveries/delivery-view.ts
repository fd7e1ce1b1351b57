import type { Attempt } from '../../domain/delivering/attempt.ts';
import type { DeliveryRow } from '../../domain/delivering/delivery.ts';
import { parseEventId } from '../../domain/ids.ts';
import { iso } from '../../domain/iso.ts';
import type { Caller } from '../http/auth.ts';
import { visibleUrls } from '../http/visible-url.ts';

/** What `GET /v1/deliveries/{id}` answers. */
export function deliveryView(row: DeliveryRow, caller: Pick<Caller, 'role'>) {
  // While a worker sends it, its due time is the end of a lease.
  const waits = row.state === 'pending' && row.lane?.startsWith('deliver') && row.owner === undefined;
  return {
    id: row.id,
    eventId: row.eventId,
    endpointId: row.endpointId,
    requestId: row.requestId,
    type: row.type,
    timestamp: iso(parseEventId(row.eventId)?.occurredAt ?? row.createdAt),
    state: row.state,
    nextAttemptAt: waits ? iso(row.dueAt) : undefined,
    attemptCount: row.attemptCount,
    attempts: row.attempts.map((attempt) => attemptView(attempt, caller)),
  };
}

/** One attempt as answers show it. */
export const attemptView = (
  { at, durationMs, statusCode, error, reason, body }: Attempt,
  caller: Pick<Caller, 'role'>,
) => ({
  at: iso(at),
  durationMs,
  statusCode,
  error,
  reason: reason && visibleUrls(reason, caller),
  body: body && visibleUrls(body, caller),
});
