import { signWebhook } from '../adapters/signed-webhook.ts';
import type { Attempt } from '../domain/delivering/attempt.ts';
import type { EndpointRow } from '../domain/delivering/endpoint.ts';
import { type UrlTestRow, urlTestUnsent } from '../domain/delivering/url-test.ts';
import { endpointKey } from '../domain/rows.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { attemptPost } from './attempt.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';
import { signingSecrets } from './signing-secrets.ts';

/**
 * Sends a test to its URL, and keeps how it ended. A test is not a delivery: it is not tried again, does not
 * count for the endpoint's health, and has none of the endpoint's headers, which may be secrets of its receiver.
 */
export function createTestUrl(dependencies: DeliverDependencies) {
  const { table, claims, http, now, elapsed, log } = dependencies;

  return async function testUrl(claim: Claim<UrlTestRow>): Promise<void> {
    const { endpointId, eventId, url = '', body = '' } = claim.row;
    const endpoint = await table.get<EndpointRow>(endpointKey(endpointId));
    const unsent = urlTestUnsent(claim.row, {
      isSignable: endpoint !== undefined,
      claimsBefore: claim.claimsWithoutProgress,
      now: now(),
    });
    const attempt = unsent ?? (await send(endpoint as EndpointRow, { eventId, url, body }));
    await claims.finish(claim, { remove: ['url', 'body'], set: { attempt } });
    const { statusCode, error, durationMs } = attempt;
    log.info('tested a URL', { endpointId, eventId, statusCode, error, durationMs });
  };

  async function send(
    endpoint: EndpointRow,
    { eventId, url, body }: { eventId: string; url: string; body: string },
  ): Promise<Attempt> {
    const webhook = signWebhook(eventId, body, await signingSecrets(endpoint, dependencies), now());
    return (await attemptPost(http, url, webhook, {}, { now, elapsed })).attempt;
  }
}
