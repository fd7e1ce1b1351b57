import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { newEndpoint } from '../../domain/delivering/new-endpoint.ts';
import { newSecret, SECRET_BYTES } from '../../domain/delivering/signing-secret.ts';
import { endpointId } from '../../domain/ids.ts';
import { creation, MAX_ENDPOINTS } from '../../rows/endpoints.ts';
import type { ApiContext } from '../http/context.ts';
import { conflict, createdAndGone } from '../http/problem.ts';
import { type Route, route } from '../http/route.ts';
import { endpointSchema } from './endpoint-schemas.ts';
import { endpointView } from './endpoint-view.ts';

/** `POST /v1/endpoints` */
export function createEndpointRoute(context: ApiContext): Route {
  const { endpoints, now, randomBytes } = context;
  return route({
    name: 'createEndpoint',
    method: 'POST',
    path: '/v1/endpoints',
    access: 'admin',
    summary: 'Creates an account-wide endpoint; the answer holds its secret.',
    body: endpointSchema(context),
    answers: { 201: 'EndpointWithSecret' },
    handle: async ({ caller, body, once }) => {
      const { secret = newSecret(randomBytes(SECRET_BYTES)) } = body;
      const id = endpointId('account', randomBytes(16));
      const { ids } = await once((commit) =>
        optimistic(async () => {
          const counts = await endpoints.counts();
          if (counts && counts.endpoints >= MAX_ENDPOINTS) {
            throw conflict(`There are ${MAX_ENDPOINTS} endpoints, the most there can be: delete one first.`);
          }
          const row = newEndpoint(id, body, secret, now());
          return commit(creation(row, counts), { status: 201, ids: { endpointId: id } });
        }),
      );
      const endpoint = await endpoints.get(ids.endpointId ?? '');
      if (!endpoint) throw createdAndGone('endpoint');
      return {
        status: 201,
        headers: { location: `/v1/endpoints/${endpoint.id}` },
        body: { ...endpointView(endpoint, caller), secret: endpoint.secrets?.[0]?.secret },
      };
    },
  });
}
