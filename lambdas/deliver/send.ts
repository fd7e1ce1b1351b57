import type { SafeHttp } from '../adapters/http/safe-http.ts';
import { signWebhook } from '../adapters/signed-webhook.ts';
import { payloadToSend, type VideoLinks } from '../adapters/video-link.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow, EndpointSecret } from '../domain/delivering/endpoint.ts';
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

/** One attempt at a delivery, by the kind of its endpoint. */
export type Send = (endpoint: EndpointRow, row: DeliveryRow) => Promise<AttemptResult>;

export function createSend(dependencies: SendDependencies): Send {
  const { http, putEvent, callbackSecrets, videoLink, ...clocks } = dependencies;
  return async (endpoint, row) => {
    const payload = await payloadToSend(row, videoLink, clocks.now());
    if (endpoint.kind === 'eventbridge') return putEvent(endpoint.busName ?? '', payload);
    const secrets = endpoint.kind === 'callback' ? await callbackSecrets() : (endpoint.secrets ?? []);
    const webhook = signWebhook(row.eventId, JSON.stringify(payload), secrets, clocks.now());
    return attemptPost(http, endpoint.url ?? '', webhook, endpoint.headers, clocks);
  };
}
