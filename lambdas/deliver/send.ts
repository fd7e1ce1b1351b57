import type { SafeHttp } from '../adapters/http/safe-http.ts';
import { signWebhook } from '../adapters/signed-webhook.ts';
import { bodyToSend, type VideoLinks } from '../adapters/video-link.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow, EndpointSecret } from '../domain/delivering/endpoint.ts';
import { traitsOf } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { EndpointKindTraits } from '../domain/delivering/endpoint-kinds/traits.ts';
import { type AttemptResult, attemptPost, type Clocks } from './attempt.ts';
import type { PutEvent } from './put-event.ts';

export type SendDependencies = Clocks & {
  readonly http: SafeHttp;
  readonly putEvent: PutEvent;
  /** The secrets that sign per-request callbacks. */
  readonly callbackSecrets: () => Promise<readonly EndpointSecret[]>;
  /** A link to the stored video of a request, made at each attempt. */
  readonly videoLink: VideoLinks;
};

/** The delivery cannot be sent now for a reason of the bridge's own, which passes; nothing was attempted. */
export class NotSendable extends Error {
  override readonly name = 'NotSendable';
}

/** One attempt at a delivery. Throws {@link NotSendable}. */
export type Send = (endpoint: EndpointRow, row: DeliveryRow) => Promise<AttemptResult>;

type Transport = EndpointKindTraits['transport'];

export function createSend(dependencies: SendDependencies): Send {
  const { http, putEvent, callbackSecrets, videoLink, ...clocks } = dependencies;

  const transports: Record<
    Transport,
    (endpoint: EndpointRow, row: DeliveryRow, body: string) => Promise<AttemptResult>
  > = {
    http: async (endpoint, { eventId }, body) => {
      const own = traitsOf(endpoint).secrets === 'own';
      const secrets = own ? (endpoint.secrets ?? []) : await callbackSecrets();
      const webhook = signWebhook(eventId, body, secrets, clocks.now());
      return attemptPost(http, endpoint.url ?? '', webhook, endpoint.headers, clocks);
    },
    eventbridge: (endpoint, { type }, body) => putEvent(endpoint.busName ?? '', type, body),
    fetched: () => Promise.reject(new Error('clients fetch from this endpoint; nothing is sent to it')),
  };

  return async (endpoint, row) => {
    const body = await bodyToSend(row, videoLink, clocks.now()).catch((cause: unknown) => {
      throw new NotSendable('the link to the video cannot be made: see the logs for Secrets Manager', {
        cause,
      });
    });
    return transports[traitsOf(endpoint).transport](endpoint, row, body);
  };
}
