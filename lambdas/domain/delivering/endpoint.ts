import type { RowKey } from '../work.ts';
import type { Gate } from './delivery-gate.ts';
import type { EndpointKind } from './endpoint-kinds/endpoint-kinds.ts';

/** A signing secret (`whsec_…`); the one without `expiresAt` is current. */
export type EndpointSecret = { readonly secret: string; readonly expiresAt?: number };

/**
 * The row of an endpoint, account-wide or a per-request callback. Callbacks are signed with the
 * bridge's callback secret and have no secrets of their own; their filter is on their request.
 */
export type EndpointRow = RowKey &
  Gate & {
    id: string;
    kind: EndpointKind;
    url?: string;
    busName?: string;
    events: string[];
    description: string;
    enabled: boolean;
    disabledReason?: string;
    /** It was disabled for how it answered, not by a person. */
    gaveUp?: true;
    /** Deliveries per second. */
    rateLimit?: number;
    ordered: boolean;
    headers: Record<string, string>;
    secrets?: EndpointSecret[];
    createdAt: number;
    listKey: string;
    listAt: string;
    /** Of a callback that no person changed: when it may be deleted; each registration puts it off. */
    expiresAt?: number;
  };

/** The `list` partition of a kind of endpoints. */
export const endpointList = (kind: EndpointKind): string => `endpoints#${kind}`;
