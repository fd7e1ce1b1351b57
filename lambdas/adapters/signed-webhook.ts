import { Webhook } from 'standardwebhooks';
import type { EndpointSecret } from '../domain/delivering/endpoint.ts';
import { validSecrets } from '../domain/delivering/signing-secret.ts';

/** A signed message as it is sent: the bytes of `body` are the bytes signed. */
export type SignedWebhook = { readonly headers: Record<string, string>; readonly body: string };

/** Signs by Standard Webhooks with every secret that is still valid, the time being the attempt's. */
export function signWebhook(
  id: string,
  body: string,
  secrets: readonly EndpointSecret[],
  now: number,
): SignedWebhook {
  const time = new Date(now);
  const valid = validSecrets(secrets, now);
  if (valid.length === 0) throw new Error('the endpoint has no valid secret: rotate it');
  return {
    headers: {
      'content-type': 'application/json',
      'user-agent': 'topaz-video-webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': valid.map(({ secret }) => new Webhook(secret).sign(id, time, body)).join(' '),
    },
    body,
  };
}
