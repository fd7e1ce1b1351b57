import type * as z from 'zod/mini';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { DISABLED_THROUGH_API, type EndpointRow, endpointList } from '../../domain/delivering/endpoint.ts';
import { ownFieldsOf } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { newSecret, SECRET_BYTES } from '../../domain/delivering/signing-secret.ts';
import { endpointId } from '../../domain/ids.ts';
import { endpointKey, listAt } from '../../domain/rows.ts';
import { creation, MAX_ENDPOINTS } from '../../rows/endpoints.ts';
import type { ApiContext } from '../http/context.ts';
import { conflict, createdAndGone } from '../http/problem.ts';
import { type Route, route } from '../http/route.ts';
import { endpointWithSecretAnswer } from './endpoint-answers.ts';
import { endpointSchema } from './endpoint-schemas.ts';
import { endpointView } from './endpoint-view.ts';

const DEFAULT_EVENTS = ['video.*', 'endpoint.*'];

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
    answers: { 201: endpointWithSecretAnswer },
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

type Given = z.output<ReturnType<typeof endpointSchema>>;

function newEndpoint(id: string, given: Given, secret: string, createdAt: number): EndpointRow {
  const { kind = 'http', enabled = true } = given;
  return {
    ...endpointKey(id),
    id,
    kind,
    url: given.url,
    ...ownFieldsOf(given),
    events: [...new Set(given.events ?? DEFAULT_EVENTS)],
    description: given.description ?? '',
    enabled,
    ...(enabled ? {} : { disabledReason: DISABLED_THROUGH_API }),
    rateLimit: given.rateLimit,
    ordered: given.ordered ?? false,
    headers: given.headers ?? {},
    secrets: [{ secret }],
    createdAt,
    health: { state: enabled ? 'healthy' : 'disabled' },
    stateVersion: 0,
    listKey: endpointList(kind),
    listAt: listAt(createdAt, id),
  };
}
