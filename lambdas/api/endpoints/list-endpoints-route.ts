import * as z from 'zod/mini';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import { ENDPOINT_KINDS, isCallback } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { Caller } from '../http/auth.ts';
import type { ApiContext } from '../http/context.ts';
import { paging } from '../http/lists.ts';
import { collectPage, type ItemPage } from '../http/paging.ts';
import { type Route, route } from '../http/route.ts';
import { endpointView } from './endpoint-view.ts';

/** `GET /v1/endpoints` */
export function listEndpointsRoute({ table, endpoints, lists }: ApiContext): Route {
  async function accountWide(
    caller: Caller,
    kind: EndpointRow['kind'] | undefined,
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<ItemPage<unknown>> {
    const rows = (await endpoints.listAccountWide())
      .filter((row) => kind === undefined || row.kind === kind)
      .filter((row) => after === undefined || row.listAt < after)
      .sort((a, b) => (a.listAt < b.listAt ? 1 : -1));
    const page = rows.slice(0, limit);
    const items = page.map((row) => endpointView(row, caller));
    return { items, next: rows.length > limit ? page.at(-1)?.listAt : undefined };
  }

  const callbacks = (caller: Caller, from: { limit: number; after: string | undefined }) =>
    collectPage({
      ...from,
      filtered: false,
      scan: endpoints.listCallbacks,
      show: async (entries) => {
        const rows = await table.getMany<EndpointRow>(entries.map(({ key }) => key));
        return rows.map((row) => row && endpointView(row, caller));
      },
    });

  return route({
    name: 'listEndpoints',
    method: 'GET',
    path: '/v1/endpoints',
    access: 'read',
    summary: 'Lists account-wide endpoints, the newest first; callbacks with kind=callback.',
    query: z.strictObject({
      ...paging,
      kind: z.optional(z.enum(ENDPOINT_KINDS).check(z.describe('Only endpoints of this kind.'))),
    }),
    answers: { 200: 'EndpointList' },
    handle: (call) => {
      const { kind } = call.query;
      return lists(call, (from) =>
        kind && isCallback({ kind }) ? callbacks(call.caller, from) : accountWide(call.caller, kind, from),
      );
    },
  });
}
