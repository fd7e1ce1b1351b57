import type { RowQuery } from '../adapters/dynamodb/reads.ts';
import { EVENTS, requestKey } from '../domain/rows.ts';

/** The query for a request's events, the oldest first: consistent, so that a receiver that was just sent an event finds it. */
export const eventsOf = (requestId: string): Omit<RowQuery, 'limit'> => ({
  partition: requestKey(requestId).pk,
  prefix: EVENTS,
  consistent: true,
});
