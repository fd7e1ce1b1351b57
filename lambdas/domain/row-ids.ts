import { deliveryId, parseEventId } from './ids.ts';
import { workOf } from './rows.ts';
import type { RowKey } from './work.ts';

type RowIds = Partial<Record<'requestId' | 'eventId' | 'endpointId' | 'deliveryId' | 'replayId', string>>;

/**
 * The ids that a due row is about, by which its lines in the log are found. Its key tells all of them but the
 * endpoint of a replay: a worker that could not claim the row knows only the key.
 */
export function idsOf(row: RowKey & { readonly endpointId?: string }): RowIds {
  const work = workOf(row);
  switch (work.kind) {
    case 'upstream-check':
      return {};
    case 'outbox': {
      const { kind, ...ids } = work.source;
      return ids;
    }
    case 'poll':
    case 'copy':
      return { requestId: work.requestId };
    case 'delivery': {
      const { endpointId, eventId } = work;
      const source = parseEventId(eventId)?.source;
      const requestId = source?.kind === 'request' ? source.requestId : undefined;
      return { requestId, eventId, endpointId, deliveryId: deliveryId(endpointId, eventId) };
    }
    case 'replay':
      return { replayId: work.replayId, endpointId: row.endpointId };
    default:
      return { endpointId: work.endpointId };
  }
}
