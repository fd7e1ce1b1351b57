import { decodeBase32, encodeBase32 } from './base32.ts';

/**
 * Where an event comes from: a request, or an endpoint (test, disabled, recovered).
 * Together with a position it is an event's place in the table.
 */
export type EventSource =
  | { readonly kind: 'request'; readonly requestId: string }
  | { readonly kind: 'endpoint'; readonly endpointId: string };

/** An event's id taken apart: it leads back to its row without a pointer. */
export type EventAddress = {
  /** When the event was observed, ms since epoch. */
  readonly occurredAt: number;
  readonly source: EventSource;
  /** Place in the source's outbox, from 1. */
  readonly position: number;
};

const EVENT_BYTES = 6 + 1 + 16 + 4;
const ENDPOINT_BYTES = 17;
const KINDS = ['request', 'account', 'callback'] as const;

/** `ep_a…` for an account-wide endpoint, `ep_c…` for a per-request callback; 16 bytes of identity. */
export function endpointId(kind: 'account' | 'callback', identity: Uint8Array): string {
  return `ep_${kind === 'account' ? 'a' : 'c'}${encodeBase32(identity.subarray(0, 16))}`;
}

/** `rpl_…`, by 16 random bytes. */
export const replayId = (random: Uint8Array): string => `rpl_${encodeBase32(random.subarray(0, 16))}`;

export const isReplayId = (id: string): boolean =>
  id.startsWith('rpl_') && decodeBase32(id.slice(4), 16) !== undefined;

export const isEndpointId = (id: string): boolean => endpointBytes(id) !== undefined;
export const isCallbackId = (id: string): boolean => id.startsWith('ep_c');

/**
 * `msg_` + time, source and position, so that ids sort by time and one event always has the same id:
 * it is the `webhook-id` of every attempt (Standard Webhooks).
 */
export function eventId(address: EventAddress): string {
  const bytes = new Uint8Array(EVENT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(address.occurredAt / 2 ** 32));
  view.setUint32(2, address.occurredAt >>> 0);
  bytes.set(sourceBytes(address.source), 6);
  view.setUint32(23, address.position);
  return `msg_${encodeBase32(bytes)}`;
}

/** The reverse of {@link eventId}; undefined when `id` is not an event id. */
export function parseEventId(id: string): EventAddress | undefined {
  if (!id.startsWith('msg_')) return undefined;
  const bytes = decodeBase32(id.slice(4), EVENT_BYTES);
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer);
  const source = parseSource(bytes.subarray(6, 23));
  if (!source) return undefined;
  return {
    occurredAt: view.getUint16(0) * 2 ** 32 + view.getUint32(2),
    source,
    position: view.getUint32(23),
  };
}

/** The least id that an event of `time` or later can have. */
export const firstEventId = (time: number): string =>
  eventId({
    occurredAt: Math.max(0, time),
    source: { kind: 'request', requestId: '00000000-0000-0000-0000-000000000000' },
    position: 0,
  });

/** A delivery is one event for one endpoint, so its id is made of both. */
export function deliveryId(endpoint: string, event: string): string {
  const bytes = new Uint8Array(ENDPOINT_BYTES + EVENT_BYTES);
  bytes.set(endpointBytes(endpoint) ?? new Uint8Array(0), 0);
  bytes.set(decodeBase32(event.slice(4), EVENT_BYTES) ?? new Uint8Array(0), ENDPOINT_BYTES);
  return `dlv_${encodeBase32(bytes)}`;
}

/** The reverse of {@link deliveryId}; undefined when `id` is not a delivery id. */
export function parseDeliveryId(id: string): { endpointId: string; eventId: string } | undefined {
  if (!id.startsWith('dlv_')) return undefined;
  const bytes = decodeBase32(id.slice(4), ENDPOINT_BYTES + EVENT_BYTES);
  if (!bytes) return undefined;
  const source = parseSource(bytes.subarray(0, ENDPOINT_BYTES));
  if (source?.kind !== 'endpoint') return undefined;
  return {
    endpointId: source.endpointId,
    eventId: `msg_${encodeBase32(bytes.subarray(ENDPOINT_BYTES))}`,
  };
}

function sourceBytes(source: EventSource): Uint8Array {
  if (source.kind === 'endpoint') return endpointBytes(source.endpointId) ?? new Uint8Array(ENDPOINT_BYTES);
  const bytes = new Uint8Array(ENDPOINT_BYTES);
  const hex = source.requestId.replaceAll('-', '');
  for (let i = 0; i < 16; i++) bytes[i + 1] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  return bytes;
}

function parseSource(bytes: Uint8Array): EventSource | undefined {
  const kind = KINDS[bytes[0] ?? KINDS.length];
  const identity = bytes.subarray(1);
  if (kind === undefined) return undefined;
  if (kind !== 'request') return { kind: 'endpoint', endpointId: endpointId(kind, identity) };
  const hex = Array.from(identity, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { kind: 'request', requestId: uuidOf(hex) };
}

function endpointBytes(id: string): Uint8Array | undefined {
  const kind = { ep_a: 'account', ep_c: 'callback' }[id.slice(0, 4)];
  const identity = decodeBase32(id.slice(4), 16);
  if (!kind || !identity) return undefined;
  const bytes = new Uint8Array(ENDPOINT_BYTES);
  bytes[0] = KINDS.indexOf(kind as (typeof KINDS)[number]);
  bytes.set(identity, 1);
  return bytes;
}

/** A UUID as it is written, from its 32 hexadecimal digits. */
export const uuidOf = (hex: string): string =>
  hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
