import type { EventPayload } from './event.ts';
import type { RowKey, Work } from './work.ts';

export type DeliveryState = 'pending' | 'held' | 'delivered' | 'failed' | 'canceled';

/** One try at sending, as it is kept and shown. */
export type Attempt = {
  /** ms since epoch. */
  at: number;
  durationMs: number;
  statusCode?: number;
  /** The class of the failure when there was no answer (`timeout`, `dns`, `reset`, …). */
  error?: string;
  /** The first 1 KiB of the answer. */
  body?: string;
};

/** Attempts kept on the row; `attemptCount` counts them all. */
export const ATTEMPTS_KEPT = 12;

/**
 * The row of a delivery: one event for one endpoint, the payload copied in so that it is the same
 * at every attempt. Its `webhook-id` is the event's id.
 */
export type DeliveryRow = RowKey &
  Work & {
    id: string;
    eventId: string;
    endpointId: string;
    requestId?: string;
    type: string;
    payload: EventPayload;
    state: DeliveryState;
    createdAt: number;
    attempts: Attempt[];
    attemptCount: number;
    /** Failed attempts on the present schedule; a replay begins a new one. */
    failures: number;
    expiresAt?: number;
  };

/** The lanes of deliveries that nobody wakes, by which they are listed. */
export const heldLane = (endpointId: string): string => `held#${endpointId}`;
export const failedLane = (endpointId: string): string => `failed#${endpointId}`;
