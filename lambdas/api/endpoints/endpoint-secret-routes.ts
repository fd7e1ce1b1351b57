import { equals } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import type { ApiContext } from '../http/context.ts';
import { conflict } from '../http/problem.ts';
import { ok, type Route, route } from '../http/route.ts';
import { rotationSchema } from './endpoint-schemas.ts';
import { knownEndpoint } from './known-endpoint.ts';
import { rotatedSecret, rotation, secretView } from './secret-rotation.ts';

/** The secrets that sign the messages of one endpoint. */
export function endpointSecretRoutes({ endpoints, now, randomBytes }: ApiContext): Route[] {
  /** An endpoint that has its own secrets. */
  async function signing(
    id: string | undefined,
  ): Promise<EndpointRow & Required<Pick<EndpointRow, 'secrets'>>> {
    const endpoint = await knownEndpoint(endpoints, id);
    const { secrets } = endpoint;
    if (secrets) return { ...endpoint, secrets };
    throw conflict('Callbacks are signed with the callback secret: see /v1/callback-secret.');
  }

  return [
    route({
      name: 'getEndpointSecret',
      method: 'GET',
      path: '/v1/endpoints/{id}/secret',
      access: 'admin',
      summary: "Shows an endpoint's signing secret.",
      refusals: [409],
      answers: { 200: 'Secret' },
      handle: async ({ params }) => ok(secretView((await signing(params.id)).secrets, now())),
    }),
    route({
      name: 'rotateEndpointSecret',
      method: 'POST',
      path: '/v1/endpoints/{id}/secret/rotate',
      access: 'admin',
      summary: 'Replaces the secret; the bridge signs with the old one, too, until the overlap ends.',
      body: rotationSchema,
      bodyOptional: true,
      answers: { 200: 'Secret' },
      handle: async ({ params, body, once }) => {
        const { ids } = await once((commit) =>
          optimistic(async () => {
            const endpoint = await signing(params.id);
            const { secrets, fingerprint } = rotation(endpoint.secrets, body, now(), randomBytes);
            return commit(
              [{ update: endpoint, set: { secrets }, if: [equals('secrets', endpoint.secrets)] }],
              { status: 200, ids: { secret: fingerprint } },
            );
          }),
        );
        return ok({ secret: rotatedSecret((await signing(params.id)).secrets, ids.secret) });
      },
    }),
  ];
}
