import { type EventRow, payload } from '../../domain/events/event.ts';
import { parseEventId } from '../../domain/ids.ts';
import { isExpired } from '../../domain/retention.ts';
import { eventKey } from '../../domain/rows.ts';
import type { ApiContext } from '../http/context.ts';
import { notFound } from '../http/problem.ts';
import { ok, type Route, route } from '../http/route.ts';
import { createRequests } from '../requests/tracked-requests.ts';
import { listEventsRoute } from './list-events-route.ts';

export function eventRoutes(context: ApiContext): Route[] {
  const { table, now } = context;
  const requests = createRequests(table, now);
  return [
    listEventsRoute(context),
    route({
      name: 'getEvent',
      method: 'GET',
      path: '/v1/events/{id}',
      access: 'read',
      summary: 'Shows an event as it is sent.',
      answers: { 200: 'Event' },
      handle: async ({ params: { id = '' } }) => {
        const address = parseEventId(id);
        if (!address) throw notFound('event');
        const { source, position } = address;
        const row = await table.get<EventRow>(eventKey(source, position));
        if (row?.id !== id || isExpired(row, now())) throw notFound('event');
        if (source.kind === 'endpoint') return ok(payload(row));
        const tracked = await requests.get(source.requestId);
        if (!tracked) throw notFound('event');
        return ok(payload(row, tracked.meta.metadata));
      },
    }),
  ];
}
