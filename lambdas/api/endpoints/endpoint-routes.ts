import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { changed, changeErrors } from '../../domain/delivering/endpoint-change.ts';
import { change, deletion } from '../../rows/endpoints.ts';
import type { Caller } from '../http/auth.ts';
import type { ApiContext } from '../http/context.ts';
import { invalid } from '../http/problem.ts';
import { ok, type Route, route } from '../http/route.ts';
import { createEndpointRoute } from './create-endpoint-route.ts';
import { endpointChangeSchema } from './endpoint-schemas.ts';
import { endpointSecretRoutes } from './endpoint-secret-routes.ts';
import { endpointView } from './endpoint-view.ts';
import { knownEndpoint } from './known-endpoint.ts';
import { listEndpointsRoute } from './list-endpoints-route.ts';
import { testEndpointRoute } from './test-endpoint-route.ts';

export function endpointRoutes(context: ApiContext): Route[] {
  const { table, endpoints, hints, now, retentionDays } = context;

  const known = (id: string | undefined) => knownEndpoint(endpoints, id);
  const shown = async (id: string | undefined, caller: Caller) => endpointView(await known(id), caller);

  return [
    createEndpointRoute(context),
    listEndpointsRoute(context),
    route({
      name: 'getEndpoint',
      method: 'GET',
      path: '/v1/endpoints/{id}',
      access: 'read',
      summary: 'Shows an endpoint.',
      answers: { 200: 'Endpoint' },
      handle: async ({ caller, params }) => ok(await shown(params.id, caller)),
    }),
    route({
      name: 'changeEndpoint',
      method: 'PATCH',
      path: '/v1/endpoints/{id}',
      access: 'admin',
      summary: 'Changes the given fields of an endpoint; given `headers` replace all of its headers.',
      body: endpointChangeSchema(context),
      answers: { 200: 'Endpoint' },
      handle: async ({ caller, params, body }) => {
        const due = await optimistic(async () => {
          const endpoint = await known(params.id);
          const wrong = changeErrors(endpoint, body);
          if (wrong.length > 0) throw invalid(wrong);
          const { writes, due } = change(endpoint, changed(endpoint, body), now());
          await table.transact(writes);
          return due;
        });
        await hints.send(due);
        return ok(await shown(params.id, caller));
      },
    }),
    route({
      name: 'deleteEndpoint',
      method: 'DELETE',
      path: '/v1/endpoints/{id}',
      access: 'admin',
      summary: 'Deletes an endpoint; its deliveries that are not final are canceled.',
      answers: { 204: null },
      handle: async ({ params }) => {
        const due = await optimistic(async () => {
          const planned = deletion(await known(params.id), now(), retentionDays);
          await table.transact(planned.writes);
          return planned.due;
        });
        await hints.send(due);
        return { status: 204 };
      },
    }),
    ...endpointSecretRoutes(context),
    testEndpointRoute(context),
  ];
}
