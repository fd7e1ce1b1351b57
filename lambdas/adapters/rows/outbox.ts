import { type Counters, type EventDraft, type EventRow, number } from '../../domain/events/event.ts';
import type { OutboxRow } from '../../domain/events/outbox.ts';
import type { EventSource } from '../../domain/ids.ts';
import { outboxKey } from '../../domain/rows.ts';
import { freshDueAt, type Hint } from '../../domain/work.ts';
import { absent, equals } from '../dynamodb/expression.ts';
import type { Write } from '../dynamodb/table.ts';

/**
 * The writes that add events to a source: the numbered rows, and the outbox made due. They belong
 * in the transaction that also moves the source's counters from `last` to `counters`, under the
 * condition that `last` still holds.
 *
 * @param expiresAt when the event rows, final once written, may be deleted; s since epoch
 */
export function eventWrites(
  source: EventSource,
  last: Counters,
  drafts: readonly EventDraft[],
  now: number,
  expiresAt?: number,
): { writes: Write[]; counters: Counters; hint?: Hint } {
  // `last` may be a whole row; only its counters go back.
  if (drafts.length === 0) {
    return { writes: [], counters: { sequence: last.sequence, position: last.position } };
  }
  const { rows, counters } = number(source, last, drafts, now);
  return {
    writes: [
      ...rows.map((row): Write => ({ put: { ...row, expiresAt }, if: [{ attribute: 'pk', is: 'absent' }] })),
      wakeOutbox(source, now),
    ],
    counters,
    hint: { ...outboxKey(source), dueAt: now },
  };
}

/** Makes a source's outbox due; whoever is working on it loses it, and starts anew with what is there now. */
export const wakeOutbox = (source: EventSource, now: number): Write => ({
  update: outboxKey(source),
  set: { lane: 'dispatch', dueAt: now },
  remove: ['owner', 'claims'],
});

/**
 * The writes that tell something about an endpoint, its outbox being as it was read: it counts the
 * positions itself.
 *
 * @param onlyTo the one endpoint that is told, whatever its filter
 */
export function endpointEventWrites(
  endpointId: string,
  outbox: OutboxRow | undefined,
  draft: EventDraft,
  now: number,
  { expiresAt, onlyTo }: { expiresAt: number; onlyTo?: string },
): { writes: Write[]; event: EventRow; due: Hint } {
  const source = { kind: 'endpoint', endpointId } as const;
  const position = outbox?.position ?? 0;
  const [event] = number(source, { sequence: 0, position }, [draft], now).rows;
  if (!event) throw new Error('an event was drafted, so there is a row');
  const dueAt = freshDueAt(now, outbox?.dueAt);
  const key = outboxKey(source);
  return {
    event,
    due: { ...key, dueAt },
    writes: [
      { put: { ...event, onlyTo, expiresAt }, if: [absent('pk')] },
      {
        update: key,
        set: { position: event.position, lane: 'dispatch', dueAt },
        setIfAbsent: { accountCursor: { position: 0 }, callbackCursors: {} },
        remove: ['owner', 'claims', 'parked'],
        if: [outbox?.position === undefined ? absent('position') : equals('position', position)],
      },
    ],
  };
}
