import { absent, equals } from '../adapters/expression.ts';
import type { Commit, Outcome } from '../adapters/idempotency.ts';
import { optimistic } from '../adapters/optimistic.ts';
import { number } from '../domain/event.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import { eventExpiry } from '../domain/retention.ts';
import { outboxKey } from '../domain/rows.ts';
import { freshDueAt, type Hint } from '../domain/work.ts';
import type { ApiContext } from './context.ts';

/** Writes an `endpoint.test` event, which goes to its endpoint alone, whatever the filter. */
export function createEndpointTest({
  table,
  now,
  retentionDays,
}: Pick<ApiContext, 'table' | 'now' | 'retentionDays'>) {
  return async function test(endpointId: string, commit: Commit): Promise<{ outcome: Outcome; due: Hint }> {
    return optimistic(async () => {
      const at = now();
      const source = { kind: 'endpoint', endpointId } as const;
      const outbox = await table.get<OutboxRow>(outboxKey(source));
      const last = outbox?.position ?? 0;
      const { rows } = number(
        source,
        { sequence: 0, position: last },
        [{ type: 'endpoint.test', data: { message: 'This is a test.' } }],
        at,
      );
      const [event] = rows;
      if (!event) throw new Error('an event was drafted, so there is a row');
      const expiresAt = eventExpiry(at, retentionDays);
      const dueAt = freshDueAt(at, outbox?.dueAt);
      const outcome = await commit(
        [
          { put: { ...event, onlyTo: endpointId, expiresAt }, if: [absent('pk')] },
          {
            update: outboxKey(source),
            set: { position: event.position, lane: 'dispatch', dueAt },
            setIfAbsent: { accountCursor: { position: 0 }, callbackCursors: {} },
            remove: ['owner', 'claims', 'parked'],
            if: [outbox?.position === undefined ? absent('position') : equals('position', last)],
          },
        ],
        { status: 202, ids: { eventId: event.id } },
      );
      return { outcome, due: { ...outboxKey(source), dueAt } };
    });
  };
}
