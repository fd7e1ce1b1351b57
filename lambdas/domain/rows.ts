import type { EventSource } from './ids.ts';
import { isCallbackId } from './ids.ts';
import type { RowKey } from './work.ts';

/**
 * The version of the rows' shapes, which each row that is put carries as `v`. A row without it is of a release before
 * versions, or an update made it, such as a counter. Raise it with a change for which old rows must be converted.
 */
export const ROW_VERSION = 1;

/**
 * The keys of the one table. A request's rows share a partition, so that one query reads all of them. So do the
 * account-wide endpoints, and the deliveries of each endpoint, in the order of their events.
 */
export const requestKey = (requestId: string): RowKey => ({ pk: `REQ#${requestId}`, sk: 'REQUEST' });
export const metaKey = (requestId: string): RowKey => ({ pk: `REQ#${requestId}`, sk: 'META' });
export const copyKey = (requestId: string): RowKey => ({ pk: `REQ#${requestId}`, sk: 'COPY' });
export const segmentKey = (requestId: string, generation: number, segment: number): RowKey => ({
  pk: `REQ#${requestId}`,
  sk: `${segmentsPrefix(generation)}${String(segment).padStart(5, '0')}`,
});
/** The beginning of the sort keys of a copy's segments: of one generation, or of all. */
export const segmentsPrefix = (generation?: number): string =>
  generation === undefined ? 'SEGMENT#' : `SEGMENT#${generation}#`;
/** Reserves an object's key in the bucket for one request, while its copy runs. */
export const objectKey = (bucket: string, key: string): RowKey => ({ pk: `KEY#${bucket}/${key}`, sk: 'KEY' });

/** The beginning of the sort keys of a source's events. */
export const EVENTS = 'EVENT#';
/** The partition of a source's events and outbox. */
const sourcePartition = (source: EventSource): string =>
  source.kind === 'request' ? `REQ#${source.requestId}` : `ENDPOINT#${source.endpointId}`;
export const eventKey = (source: EventSource, position: number): RowKey => ({
  pk: sourcePartition(source),
  sk: `${EVENTS}${String(position).padStart(10, '0')}`,
});
export const outboxKey = (source: EventSource): RowKey => ({ pk: sourcePartition(source), sk: 'OUTBOX' });

/** The partition of the counts of requests: for the active ones, and for each day at the end of which others expire. */
export const REQUEST_COUNTS = 'REQUEST-COUNTS';
export const requestCountsKey = (expiresAt: number, share: number): RowKey => ({
  pk: REQUEST_COUNTS,
  sk: `${String(expiresAt).padStart(12, '0')}#${share}`,
});

/** The partition of the account-wide endpoints. */
export const ENDPOINTS = 'ENDPOINT';
export const endpointKey = (endpointId: string): RowKey =>
  isCallbackId(endpointId)
    ? { pk: `CALLBACK#${endpointId}`, sk: 'ENDPOINT' }
    : { pk: ENDPOINTS, sk: endpointId };
/** The sort keys of the rows that say which requests name a callback. */
export const CALLBACK_USE = 'REQ#';
/** Says that a request names a callback; kept as long as it may send to it. */
export const callbackUseKey = (endpointId: string, requestId: string): RowKey => ({
  pk: endpointKey(endpointId).pk,
  sk: CALLBACK_USE + requestId,
});
/** The task to erase a callback that a purged request named, unless another request names it. */
export const callbackErasureKey = (endpointId: string): RowKey => ({
  pk: `ERASURE#${endpointId}`,
  sk: 'ORDER',
});
/** Remembers the account-wide endpoints that were deleted, while deliveries to them are kept. */
export const DELETED_ENDPOINTS = 'DELETED-ENDPOINT';
/** Counts of the account-wide endpoints, kept in the transactions that change them. */
export const endpointCountsKey: RowKey = { pk: 'ENDPOINT-COUNTS', sk: 'COUNTS' };

export const deliveryPartition = (endpointId: string): string => `DEL#${endpointId}`;
export const deliveryKey = (endpointId: string, eventId: string): RowKey => ({
  pk: deliveryPartition(endpointId),
  sk: eventId,
});

/** What the callbacks of an origin, such as `https://example.com`, have shown of its server. */
export const originKey = (origin: string): RowKey => ({ pk: `ORIGIN#${origin}`, sk: 'ORIGIN' });
/** The deliveries that wait at an endpoint's gate, in the order of the events: the new ones, or those that are replayed. */
export const backlogPartition = (gate: RowKey, replayed = false): string =>
  `${replayed ? 'REPLAY-BACKLOG' : 'BACKLOG'}#${gate.pk}#${gate.sk}`;
export const backlogEntryKey = (partition: string, { eventId }: { eventId: string }): RowKey => ({
  pk: partition,
  sk: eventId,
});
/**
 * The rate limiter of an endpoint or an origin.
 *
 * @param share of its attempts, which is counted apart
 */
export const limiterKey = ({ pk, sk }: RowKey, share = ''): RowKey => ({
  pk: `LIMITER#${pk}#${sk}`,
  sk: `LIMITER#${share}`,
});
/** The partition of the places in which calls wait for messages of pull endpoints. */
export const WAITS = 'WAIT';
/** @param of the id of the endpoint whose place it is, or the name of those that all endpoints share */
export const waitKey = (of: string, place: number): RowKey => ({ pk: WAITS, sk: `${of}#${place}` });
/** The task to cancel the deliveries of a deleted endpoint. */
export const cancellationKey = (endpointId: string): RowKey => ({
  pk: `CANCELLATION#${endpointId}`,
  sk: 'ORDER',
});
/** The last test of a URL that the endpoint's secret signed. */
export const urlTestKey = (endpointId: string): RowKey => ({ pk: `URL-TEST#${endpointId}`, sk: 'TEST' });
export const replayKey = (replayId: string): RowKey => ({ pk: `REPLAY#${replayId}`, sk: 'REPLAY' });
/** Counts, for a share of the events, the deliveries of a replay that have ended. */
export const replayDoneKey = (replayId: string, share: number): RowKey => ({
  ...replayKey(replayId),
  sk: `${REPLAY_DONE}${share}`,
});
export const REPLAY_DONE = 'DONE#';

/** While it is there, all polling waits. */
export const upstreamPauseKey: RowKey = { pk: 'UPSTREAM-PAUSE', sk: 'PAUSE' };
/** The task to ask upstream for the doctor, and its last answer. */
export const upstreamCheckKey: RowKey = { pk: 'UPSTREAM-CHECK', sk: 'CHECK' };
/** The secret that signs per-request callbacks. */
export const callbackSecretKey: RowKey = { pk: 'CALLBACK-SECRET', sk: 'SECRET' };
/** The secret that signs links to videos and cursors of lists. */
export const linkSecretKey: RowKey = { pk: 'LINK-SECRET', sk: 'SECRET' };

/** What work a row that is due stands for. `copy` is a whole one or a segment of it. */
type RowWork =
  | { readonly kind: 'poll' | 'copy'; readonly requestId: string }
  | { readonly kind: 'outbox'; readonly source: EventSource }
  | { readonly kind: 'upstream-check' }
  | { readonly kind: 'delivery'; readonly endpointId: string; readonly eventId: string }
  | { readonly kind: 'replay'; readonly replayId: string }
  | { readonly kind: 'gate'; readonly endpointId: string }
  | { readonly kind: 'cancellation' | 'erasure' | 'url-test'; readonly endpointId: string };

/** The id of the request that a row of its partition belongs to. */
export const requestIdOf = (key: RowKey): string => splitOnce(key.pk)[1] ?? '';

/** What work a row stands for, by its key. */
export function workOf({ pk, sk }: RowKey): RowWork {
  const [partition, id = ''] = splitOnce(pk);
  if (sk === 'OUTBOX') return { kind: 'outbox', source: sourceOf(pk) };
  if (partition === 'REQ') return { kind: sk === 'REQUEST' ? 'poll' : 'copy', requestId: id };
  if (partition === upstreamCheckKey.pk) return { kind: 'upstream-check' };
  if (partition === 'DEL') return { kind: 'delivery', endpointId: id, eventId: sk };
  if (partition === 'REPLAY') return { kind: 'replay', replayId: id };
  if (partition === 'CANCELLATION') return { kind: 'cancellation', endpointId: id };
  if (partition === 'ERASURE') return { kind: 'erasure', endpointId: id };
  if (partition === 'URL-TEST') return { kind: 'url-test', endpointId: id };
  return { kind: 'gate', endpointId: pk === ENDPOINTS ? sk : id };
}

/** The source of the events in a partition, by the partition's key. */
export function sourceOf(pk: string): EventSource {
  const [partition, id = ''] = splitOnce(pk);
  return partition === 'REQ' ? { kind: 'request', requestId: id } : { kind: 'endpoint', endpointId: id };
}

function splitOnce(key: string): [string, string?] {
  const at = key.indexOf('#');
  return at < 0 ? [key] : [key.slice(0, at), key.slice(at + 1)];
}

/**
 * The sort key of the `list` index: time and id, so that a position in a list is one unique string
 * and a page goes on where the last one ended even when rows came or went.
 */
export const listAt = (time: number, id: string): string => `${String(time).padStart(15, '0')}#${id}`;
