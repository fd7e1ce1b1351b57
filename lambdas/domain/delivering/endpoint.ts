import type { EndpointKind, OwnFields } from './endpoint-kinds/endpoint-kinds.ts';
import type { Gate } from './gate/gate.ts';
import type { OriginRow } from './gate/origin.ts';

/** A signing secret (`whsec_…`); the one without `expiresAt` is current. */
export type EndpointSecret = { readonly secret: string; readonly expiresAt?: number };

/**
 * The row of an endpoint, account-wide or a per-request callback. Callbacks are signed with the
 * bridge's callback secret and have no other secrets; their filter is on their request.
 */
export type EndpointRow = Gate &
  OwnFields & {
    id: string;
    kind: EndpointKind;
    url?: string;
    events: string[];
    description: string;
    disabledReason?: string;
    /** It was disabled for how it answered, not by a person. */
    gaveUp?: true;
    ordered: boolean;
    headers: Record<string, string>;
    secrets?: EndpointSecret[];
    /** ms since epoch; a callback that is named again after its deletion has another. */
    createdAt: number;
    listKey: string;
    listAt: string;
    /** For a callback that no person changed: when it may be deleted; each registration extends it. */
    expiresAt?: number;
    /** For a callback: since when no request seems to name it, ms since epoch; a registration removes it. */
    unusedSince?: number;
  };

/** An endpoint to deliver to, and for a callback what is known of its origin. */
export type Target = { readonly endpoint: EndpointRow; readonly origin?: OriginRow };

/** The `list` partition of a kind of endpoints. */
export const endpointList = (kind: EndpointKind): string => `endpoints#${kind}`;

/** The reason of an endpoint that a person disabled. */
export const DISABLED_THROUGH_API = 'disabled through the API';
