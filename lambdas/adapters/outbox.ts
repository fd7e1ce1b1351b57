import { type Counters, type EventDraft, number } from '../domain/event.ts';
import type { EventSource } from '../domain/ids.ts';
import { outboxKey } from '../domain/rows.ts';
import type { Hint } from '../domain/work.ts';
import type { Write } from './table.ts';

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
