import type { RowKey, Work } from '../work.ts';
import type { Counters } from './event.ts';

/**
 * The row `OUTBOX` of a source: how far its events have been fanned out. It is made due in the
 * transaction that writes an event; one dispatcher claims it, so a source's events fan out in order.
 */
export type OutboxRow = RowKey &
  Work & {
    /**
     * The last position fanned out to the account-wide endpoints; `after` names the endpoint up to
     * which the next event has been fanned out already, when it had more than fit one transaction.
     */
    accountCursor: { position: number; after?: string };
    /** The last position fanned out to each of the request's own callbacks, by endpoint id. */
    callbackCursors: Record<string, number>;
    /** The last event fanned out to each ordered endpoint, which the next one follows; by endpoint id. */
    chains?: Record<string, string>;
    /** The last numbers given out; only in a request's outbox, which outlives its events and its own row. */
    last?: Counters;
    /** The last position given out; only in an endpoint's outbox, a request keeps it in its own row. */
    position?: number;
    /** The time of the last event, ms since epoch; only in an endpoint's outbox. */
    lastEventAt?: number;
    /** The request is to be erased, with its deliveries. */
    purge?: boolean;
    expiresAt?: number;
  };
