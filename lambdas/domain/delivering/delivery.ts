import type { RowKey, Work } from '../work.ts';
import type { Attempt } from './attempt.ts';

export const DELIVERY_STATES = ['pending', 'held', 'delivered', 'failed', 'canceled'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/**
 * The row of a delivery: one event for one endpoint, with the body that is sent at every attempt. Its
 * `webhook-id` is the event's id.
 */
export type DeliveryRow = RowKey &
  Work & {
    id: string;
    eventId: string;
    endpointId: string;
    /** When its endpoint was created: an endpoint with the same id may have been deleted before. */
    endpointCreatedAt: number;
    requestId?: string;
    type: string;
    /** The event as JSON: the bytes that are signed and sent, without what is added for each attempt. */
    body: string;
    state: DeliveryState;
    createdAt: number;
    attempts: Attempt[];
    attemptCount: number;
    /** Failed attempts on the present schedule; a replay begins a new one. */
    failures: number;
    /** The backlog in which it waits; meanwhile it has no lane. */
    backlogKey?: string;
    /** Goes out even while the breaker is open, since it is a probe or a person asked for it. */
    bypassesBreaker?: true;
    /** For an ordered endpoint: the event whose delivery must be final first, and the event that waits for this one. */
    predecessor?: string;
    successor?: string;
    /** The replay that last sent it again; with `inReplay`, that replay still has to count its outcome. */
    replayId?: string;
    inReplay?: true;
    expiresAt?: number;
  };

/** Whether it has ended; a person may still send it again. */
export const isFinal = ({ state }: Pick<DeliveryRow, 'state'>): boolean =>
  state !== 'pending' && state !== 'held';
