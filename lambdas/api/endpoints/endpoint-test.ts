import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { sampleData } from '../../domain/events/event-samples.ts';
import type { EventType } from '../../domain/events/event-types.ts';
import type { OutboxRow } from '../../domain/events/outbox.ts';
import { eventExpiry } from '../../domain/retention.ts';
import { outboxKey } from '../../domain/rows.ts';
import { endpointEventWrites } from '../../rows/outbox.ts';
import type { ApiContext } from '../http/context.ts';
import type { Commit, Effect } from '../http/idempotency.ts';

/**
 * Writes an event that goes to its endpoint alone, whatever the filter: `endpoint.test`, or a sample of another
 * type, which says `test: true` in its data.
 */
export function createEndpointTest({
  table,
  now,
  retentionDays,
}: Pick<ApiContext, 'table' | 'now' | 'retentionDays'>) {
  return async function test(endpointId: string, type: EventType, commit: Commit): Promise<Effect> {
    return optimistic(async () => {
      const outbox = await table.get<OutboxRow>(outboxKey({ kind: 'endpoint', endpointId }));
      const draft = { type, data: sampleData(type, endpointId) };
      const expiresAt = eventExpiry(now(), retentionDays);
      const { writes, event, due } = endpointEventWrites(endpointId, outbox, draft, now(), {
        expiresAt,
        onlyTo: endpointId,
      });
      return commit(writes, { status: 202, ids: { eventId: event.id }, due });
    });
  };
}
