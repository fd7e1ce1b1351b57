import { type EventSource, eventId } from '../ids.ts';
import { iso } from '../iso.ts';
import { eventKey } from '../rows.ts';
import { truncateJson } from '../truncate-utf8.ts';
import type { RowKey } from '../work.ts';
import type { EventType } from './event-types.ts';

/** An event before it has a place: what was observed. */
export type EventDraft = {
  readonly type: EventType;
  /** Merged into the payload's `data`, after `requestId` and `sequence`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether it takes the next number; `progress.updated` carries the last one instead. */
  readonly numbered?: false;
};

/** The row of an event. `data` is that of the payload without the metadata, which META holds once. */
export type EventRow = RowKey & {
  id: string;
  type: EventType;
  /** When the bridge observed it, ms since epoch. */
  occurredAt: number;
  position: number;
  data: Record<string, unknown>;
  /** The one endpoint that it is for, whatever that one's filter (`endpoint.test`). */
  onlyTo?: string;
  listKey: string;
  listAt: string;
  expiresAt?: number;
};

/** The `list` partition of all events; their ids are in the order of time. */
export const EVENT_LIST = 'events';

/** The last numbers given out in a source, and the time of its last event (ms since epoch). */
export type Counters = {
  readonly sequence: number;
  readonly position: number;
  readonly lastEventAt?: number;
  /** When the request was registered or restarted, ms since epoch; by the clock of another worker. */
  readonly startedAt?: number;
};

/**
 * Gives each draft its place and number, on from `last`. The caller writes the rows under the condition
 * that `last` still is the last, so two writers cannot give the same number. No event is dated before the
 * last one or before the request's start, though the clocks of two workers may differ.
 */
export function numberEvents(
  source: EventSource,
  last: Counters,
  drafts: readonly EventDraft[],
  now: number,
): { rows: EventRow[]; counters: Counters } {
  let { sequence, position } = last;
  const occurredAt = Math.max(now, last.lastEventAt ?? 0, last.startedAt ?? 0);
  const rows = drafts.map((draft): EventRow => {
    position++;
    if (draft.numbered !== false) sequence++;
    const identity =
      source.kind === 'request' ? { requestId: source.requestId } : { endpointId: source.endpointId };
    const id = eventId({ occurredAt, source, position });
    return {
      ...eventKey(source, position),
      id,
      type: draft.type,
      occurredAt,
      position,
      data: { ...identity, ...(source.kind === 'request' ? { sequence } : {}), ...bounded(draft.data) },
      listKey: EVENT_LIST,
      listAt: id,
    };
  });
  return { rows, counters: { sequence, position, lastEventAt: occurredAt } };
}

/** Bytes of one text in JSON, where an escaped byte takes up to six: payloads stay under 20 kB. */
const MAX_TEXT_BYTES = 4_096;

const bounded = (data: EventDraft['data']): EventDraft['data'] =>
  Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      typeof value === 'string' ? truncateJson(value, MAX_TEXT_BYTES) : value,
    ]),
  );

/** What is sent, and what `GET /v1/events/{id}` answers. */
export type EventPayload = { id: string; type: string; timestamp: string; data: Record<string, unknown> };

export function payload(
  row: Pick<EventRow, 'id' | 'type' | 'occurredAt' | 'data'>,
  metadata?: Record<string, string>,
): EventPayload {
  return {
    id: row.id,
    type: row.type,
    timestamp: iso(row.occurredAt),
    data: metadata ? { ...row.data, metadata } : row.data,
  };
}
