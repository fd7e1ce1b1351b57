import { signWebhook } from '../adapters/signed-webhook.ts';
import type { EndpointRow } from '../domain/delivering/endpoint.ts';
import type { UrlTestRow } from '../domain/delivering/url-test.ts';
import { endpointKey } from '../domain/rows.ts';
import type { Claim } from '../engine/claims.ts';
import { attemptPost } from './attempt.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';
import { signingSecrets } from './signing-secrets.ts';

/**
 * Sends a test to its URL, and keeps how it ended. It is no delivery: it is not tried again, counts for no
 * endpoint's health, and goes without the endpoint's own headers, which may be secrets of its receiver.
 */
export function createTestUrl(dependencies: DeliverDependencies) {
  const { table, claims, http, now, elapsed, log } = dependencies;

  return async function testUrl(claim: Claim<UrlTestRow>): Promise<void> {
    const { endpointId, eventId, url = '', body = '' } = claim.row;
    const endpoint = await table.get<EndpointRow>(endpointKey(endpointId));
    const sent = { remove: ['url', 'body'] };
    // Deleted meanwhile: there is no secret to sign with.
    if (!endpoint) return void (await claims.finish(claim, sent));
    const webhook = signWebhook(eventId, body, await signingSecrets(endpoint, dependencies), now());
    const { attempt } = await attemptPost(http, url, webhook, {}, { now, elapsed });
    await claims.finish(claim, { ...sent, set: { attempt } });
    const { statusCode, error, durationMs } = attempt;
    log.info('tested a URL', { endpointId, eventId, statusCode, error, durationMs });
  };
}
