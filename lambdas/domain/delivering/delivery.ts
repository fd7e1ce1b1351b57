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
    /** When its endpoint was created, which tells it from one of the same id that was deleted before. */
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
    /** The backlog that it waits in; while it does, it has no lane. */
    backlogKey?: string;
    /** Goes out even while the breaker is open: a probe, or asked for by a person. */
    bypassesBreaker?: true;
    /** Of an ordered endpoint: the event whose delivery must be final first, and the one that waits for this. */
    predecessor?: string;
    successor?: string;
    /** The replay that last sent it again; while `inReplay`, its outcome is still to be counted there. */
    replayId?: string;
    inReplay?: true;
    expiresAt?: number;
  };

/** Whether it has ended; a person may still send it again. */
export const isFinal = ({ state }: Pick<DeliveryRow, 'state'>): boolean =>
  state !== 'pending' && state !== 'held';
