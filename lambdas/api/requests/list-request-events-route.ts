import * as z from 'zod/mini';
import { type EventRow, payload } from '../../domain/events/event.ts';
import { isExpired } from '../../domain/retention.ts';
import { eventsOf } from '../../rows/events.ts';
import type { ApiContext } from '../http/context.ts';
import { paging } from '../http/lists.ts';
import { collectPage, type ItemPage } from '../http/paging.ts';
import { type Route, route } from '../http/route.ts';
import { knownRequest } from './known-request.ts';
import { createRequests, type TrackedRequest } from './tracked-requests.ts';

/** `GET /v1/requests/{requestId}/events` */
export function listRequestEventsRoute({ table, lists, now }: ApiContext): Route {
  const requests = createRequests(table, now);

  async function events(
    { request, meta }: TrackedRequest,
    from: { limit: number; after: string | undefined },
  ): Promise<ItemPage<unknown>> {
    return collectPage({
      ...from,
      filtered: false,
      scan: async (after, limit) => {
        const page = { ...eventsOf(request.requestId), after, limit };
        const { rows, more } = await table.query<EventRow>(page);
        return { entries: rows.map((row) => ({ position: row.sk, row })), more };
      },
      show: (entries) =>
        entries.map(({ row }) => (isExpired(row, now()) ? undefined : payload(row, meta.metadata))),
    });
  }

  return route({
    name: 'listRequestEvents',
    method: 'GET',
    path: '/v1/requests/{requestId}/events',
    access: 'read',
    summary: "Lists a request's events, the oldest first.",
    query: z.strictObject(paging),
    answers: { 200: 'EventList' },
    handle: async (call) => {
      const request = await knownRequest(requests, call.params.requestId);
      return lists(call, (from) => events(request, from));
    },
  });
}
