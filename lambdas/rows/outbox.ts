import { absent, asRead, type Write } from '../adapters/dynamodb/expression.ts';
import { type Counters, type EventDraft, type EventRow, numberEvents } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import type { EventSource } from '../domain/ids.ts';
import { outboxExpiry } from '../domain/retention.ts';
import { outboxKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import { wake } from '../engine/wake.ts';

/**
 * The writes that add events to a source: the numbered rows, and the outbox made due. They belong in the
 * transaction that also moves the source's counters from `last` to `counters`, under the condition that
 * `last` still holds. A worker that holds the outbox loses its claim; the next one reads the new events too.
 *
 * @param expiresAt when the event rows, final once written, may be deleted; s since epoch
 */
export function eventWrites(
  source: EventSource,
  last: Counters,
  drafts: readonly EventDraft[],
  now: number,
  expiresAt?: number,
): { writes: Write[]; counters: Counters; due?: Due } {
  // `last` may be a whole row; only its counters go back.
  if (drafts.length === 0) {
    return { writes: [], counters: { sequence: last.sequence, position: last.position } };
  }
  const { rows, counters } = numberEvents(source, last, drafts, now);
  const outbox = wake(outboxKey(source), 'dispatch', now, {
    set: { last: counters, ...(expiresAt === undefined ? {} : { expiresAt: outboxExpiry(expiresAt) }) },
  });
  return {
    writes: [...rows.map((row): Write => ({ put: { ...row, expiresAt }, if: [absent('pk')] })), outbox.write],
    counters,
    due: outbox.due,
  };
}

/**
 * The writes of an event about an endpoint, whose outbox counts the positions itself.
 *
 * @param outbox as it was read
 * @param onlyTo the one endpoint that receives it, whatever its filter
 */
export function endpointEventWrites(
  endpointId: string,
  outbox: OutboxRow | undefined,
  draft: EventDraft,
  now: number,
  { expiresAt, onlyTo }: { expiresAt: number; onlyTo?: string },
): { writes: Write[]; event: EventRow; due: Due } {
  const source = { kind: 'endpoint', endpointId } as const;
  const position = outbox?.position ?? 0;
  const last = { sequence: 0, position, lastEventAt: outbox?.lastEventAt };
  const { rows, counters } = numberEvents(source, last, [draft], now);
  const [event] = rows;
  if (!event) throw new Error('an event was drafted, so there is a row');
  const { write, due } = wake({ ...outboxKey(source), dueAt: outbox?.dueAt }, 'dispatch', now, {
    set: {
      position: counters.position,
      lastEventAt: counters.lastEventAt,
      expiresAt: outboxExpiry(expiresAt),
    },
    setIfAbsent: { accountCursor: { position: 0 }, callbackCursors: {} },
    if: [asRead('position', outbox?.position)],
  });
  return { event, due, writes: [{ put: { ...event, onlyTo, expiresAt }, if: [absent('pk')] }, write] };
}
