import * as z from 'zod/mini';
import { EVENT_LIST, type EventRow, payload } from '../../domain/events/event.ts';
import { matches } from '../../domain/events/event-filter.ts';
import { parseEventId } from '../../domain/ids.ts';
import { isExpired } from '../../domain/retention.ts';
import type { ApiContext } from '../http/context.ts';
import { eventFilter, idsAround } from '../http/event-filter.ts';
import { paging } from '../http/lists.ts';
import { collectPage } from '../http/paging.ts';
import { type Route, route } from '../http/route.ts';
import { createRequests } from '../requests/tracked-requests.ts';

/** `GET /v1/events` */
export function listEventsRoute({ table, lists, now }: ApiContext): Route {
  const requests = createRequests(table, now);

  async function scan(after: string | undefined, before: string | undefined, limit: number) {
    const { rows, more } = await table.query<EventRow>({
      index: 'list',
      partition: EVENT_LIST,
      after,
      before,
      newestFirst: true,
      limit,
    });
    return { entries: rows.map(({ pk, sk, listAt }) => ({ position: listAt, key: { pk, sk } })), more };
  }

  /** Each event as it is sent; undefined for what is expired, or of a request that is being erased. */
  async function show(rows: readonly (EventRow | undefined)[]) {
    const requestOf = ({ id }: EventRow): string | undefined => {
      const source = parseEventId(id)?.source;
      return source?.kind === 'request' ? source.requestId : undefined;
    };
    const ids = [...new Set(rows.flatMap((row) => (row && requestOf(row)) ?? []))];
    const found = await requests.getListed(ids);
    const metadata = new Map(ids.map((id, i) => [id, found[i]?.meta.metadata]));
    return rows.map((row) => {
      if (!row || isExpired(row, now())) return undefined;
      const requestId = requestOf(row);
      if (requestId === undefined) return payload(row);
      const own = metadata.get(requestId);
      return own && payload(row, own);
    });
  }

  return route({
    name: 'listEvents',
    method: 'GET',
    path: '/v1/events',
    access: 'read',
    summary: 'Lists the events of all requests and endpoints, the newest first.',
    query: z.strictObject({ ...paging, ...eventFilter }),
    answers: { 200: 'EventList' },
    handle: async (call) => {
      const { type } = call.query;
      const range = idsAround(call.query);
      return lists(call, (from) =>
        collectPage({
          ...from,
          filtered: type !== undefined,
          scan: (position = range.before, limit) => scan(range.after, position, limit),
          show: async (entries) => {
            const rows = await table.getMany<EventRow>(entries.map(({ key }) => key));
            return show(rows.map((row) => (row && type && !matches([type], row.type) ? undefined : row)));
          },
        }),
      );
    },
  });
}
