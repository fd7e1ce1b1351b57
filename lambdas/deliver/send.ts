import { signWebhook } from '../adapters/signed-webhook.ts';
import { bodyToSend } from '../adapters/video-link.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow } from '../domain/delivering/endpoint.ts';
import { traitsOf } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { EndpointKindTraits } from '../domain/delivering/endpoint-kinds/traits.ts';
import { type AttemptResult, attemptPost } from './attempt.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';
import { signingSecrets } from './signing-secrets.ts';

/** One attempt at a delivery. */
export type Send = (endpoint: EndpointRow, row: DeliveryRow) => Promise<AttemptResult>;

type Transport = EndpointKindTraits['transport'];

export function createSend(dependencies: DeliverDependencies): Send {
  const { http, putEvent, videoLink, now, elapsed } = dependencies;

  const transports: Record<
    Transport,
    (endpoint: EndpointRow, row: DeliveryRow, body: string) => Promise<AttemptResult>
  > = {
    http: async (endpoint, { eventId }, body) => {
      const webhook = signWebhook(eventId, body, await signingSecrets(endpoint, dependencies), now());
      return attemptPost(http, endpoint.url ?? '', webhook, endpoint.headers, { now, elapsed });
    },
    eventbridge: (endpoint, { type }, body) => putEvent(endpoint.busName ?? '', type, body),
    fetched: () => Promise.reject(new Error('clients fetch from this endpoint; nothing is sent to it')),
  };

  return async (endpoint, row) => {
    const body = await bodyToSend(row, videoLink, now());
    return transports[traitsOf(endpoint).transport](endpoint, row, body);
  };
}
