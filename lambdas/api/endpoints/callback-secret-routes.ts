import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import type { ApiContext } from '../http/context.ts';
import { ok, type Route, route } from '../http/route.ts';
import { rotationSchema } from './endpoint-schemas.ts';
import { rotatedSecret, rotation, secretView } from './secret-rotation.ts';

/** The secret that signs per-request callbacks. */
export function callbackSecretRoutes({ callbackSecrets, now, randomBytes }: ApiContext): Route[] {
  return [
    route({
      name: 'getCallbackSecret',
      method: 'GET',
      path: '/v1/callback-secret',
      access: 'admin',
      summary: 'Shows the secret that signs callbacks.',
      answers: { 200: 'Secret' },
      handle: async () => ok(secretView(await callbackSecrets.read(), now())),
    }),
    route({
      name: 'rotateCallbackSecret',
      method: 'POST',
      path: '/v1/callback-secret/rotate',
      access: 'admin',
      summary:
        'Replaces the callback secret; the bridge signs with the old one, too, until the overlap ends.',
      body: rotationSchema,
      bodyOptional: true,
      answers: { 200: 'Secret' },
      handle: async ({ body, once }) => {
        const { ids } = await once((commit) =>
          optimistic(async () => {
            const stored = await callbackSecrets.read();
            const { secrets, fingerprint } = rotation(stored, body, now(), randomBytes);
            return commit([callbackSecrets.replacement(stored, secrets)], {
              status: 200,
              ids: { secret: fingerprint },
            });
          }),
        );
        const secrets = await callbackSecrets.read();
        return ok({ ...secretView(secrets, now()), secret: rotatedSecret(secrets, ids.secret) });
      },
    }),
  ];
}
