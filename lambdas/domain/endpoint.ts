import type { EventType } from './event-filter.ts';
import type { RowKey, Work } from './work.ts';

export type EndpointKind = 'http' | 'pull' | 'eventbridge' | 'callback';

/** A signing secret (`whsec_…`); the one without `expiresAt` is current. */
export type EndpointSecret = { readonly secret: string; readonly expiresAt?: number };

export type EndpointHealth = {
  state: 'healthy' | 'failing' | 'disabled';
  failingSince?: number;
  lastDeliveredAt?: number;
};

/**
 * The row of an endpoint, account-wide or a per-request callback. Callbacks are signed with the
 * bridge's callback secret and have no secrets of their own; their filter is on their request.
 */
export type EndpointRow = RowKey &
  Work & {
    id: string;
    kind: EndpointKind;
    url?: string;
    busName?: string;
    events: string[];
    description: string;
    enabled: boolean;
    disabledReason?: string;
    /** Deliveries per second. */
    rateLimit?: number;
    ordered: boolean;
    headers: Record<string, string>;
    secrets?: EndpointSecret[];
    createdAt: number;
    health: EndpointHealth;
    /** Counts changes of `enabled` and of the breaker; a delivery enters `held` only under a check of it. */
    stateVersion: number;
    listKey: string;
    listAt: string;
  };

/** Whether an endpoint may be sent an event for the first time by the fast queue. */
export const isProven = (endpoint: EndpointRow): boolean => endpoint.health.state === 'healthy';

export const ENDPOINT_EVENTS = [
  'endpoint.test',
  'endpoint.disabled',
  'endpoint.recovered',
] satisfies EventType[];
