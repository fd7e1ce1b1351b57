import { type Claim, dueAfter, type Release, releaseWrite } from '../adapters/claims.ts';
import type { Hints } from '../adapters/hints.ts';
import type { SafeHttp } from '../adapters/safe-http/safe-http.ts';
import { ConditionFailed, type Table } from '../adapters/table.ts';
import { type Attempt, type DeliveryRow, heldLane } from '../domain/delivery.ts';
import { afterAttempt, healthAfter, isGone } from '../domain/delivery-outcome.ts';
import type { EndpointRow, EndpointSecret } from '../domain/endpoint.ts';
import type { EventPayload } from '../domain/event.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { endpointKey } from '../domain/rows.ts';
import type { Lane } from '../domain/work.ts';
import { attemptPost } from './attempt.ts';
import { signWebhook } from './webhook.ts';

export type DeliverDependencies = {
  readonly table: Table;
  readonly http: SafeHttp;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly random: () => number;
  readonly retentionDays: number;
  /** The secrets that sign per-request callbacks. */
  readonly callbackSecrets: () => Promise<readonly EndpointSecret[]>;
  /** A link to the stored video of a request, made at each attempt. */
  readonly videoLink: (requestId: string, now: number) => Promise<{ url: string; urlExpiresAt: string }>;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

/** One attempt at one claimed delivery, and what it leaves: delivered, due again, held, failed or canceled. */
export function createDeliverEvent(dependencies: DeliverDependencies) {
  const { table, http, hints, now, random, retentionDays, callbackSecrets, videoLink, log } = dependencies;

  return async function deliverEvent(claim: Claim<DeliveryRow>): Promise<void> {
    const { row } = claim;
    const endpoint = await table.get<EndpointRow>(endpointKey(row.endpointId));
    if (!endpoint) return finish(claim, { set: { state: 'canceled', ...expiry() } });
    if (!endpoint.enabled) return hold(claim, endpoint);

    const secrets = endpoint.kind === 'callback' ? await callbackSecrets() : (endpoint.secrets ?? []);
    const body = JSON.stringify(await withLink(row));
    const webhook = signWebhook(row.eventId, body, secrets, now());
    const { attempt, retryAfterMs } = await attemptPost(
      http,
      endpoint.url ?? '',
      webhook,
      endpoint.headers,
      now,
    );

    const outcome = afterAttempt(row, attempt, now(), random(), retryAfterMs);
    const final = outcome.set.state !== undefined;
    await finish(claim, { ...outcome, set: { ...outcome.set, ...(final ? expiry() : {}) } });
    await recordHealth(endpoint, attempt);
    log.info('attempted', {
      deliveryId: row.id,
      eventId: row.eventId,
      statusCode: attempt.statusCode,
      error: attempt.error,
      durationMs: attempt.durationMs,
      state: outcome.set.state ?? 'pending',
      nextAttemptAt: final ? undefined : outcome.dueAt,
    });
  };

  async function finish(claim: Claim<DeliveryRow>, release: Release): Promise<void> {
    await table.write(releaseWrite(claim, release));
    if (release.dueAt === undefined || release.lane !== 'deliver-slow') return;
    const { pk, sk } = claim.row;
    const dueAt = dueAfter(claim, release.dueAt);
    await hints.send(release.lane as Lane, [{ pk, sk, dueAt }]);
  }

  /** Held under a check that the endpoint still is as it was seen: enabling it releases what is held. */
  async function hold(claim: Claim<DeliveryRow>, endpoint: EndpointRow): Promise<void> {
    const lane = heldLane(endpoint.id);
    await table.transact([
      releaseWrite(claim, { lane, dueAt: claim.row.createdAt, set: { state: 'held' } }),
      { check: endpoint, if: [{ attribute: 'stateVersion', is: '=', value: endpoint.stateVersion }] },
    ]);
  }

  async function withLink(row: DeliveryRow): Promise<EventPayload> {
    const { payload, requestId } = row;
    if (payload.type !== 'video.stored' || requestId === undefined) return payload;
    const video = { ...(payload.data.video as object), ...(await videoLink(requestId, now())) };
    return { ...payload, data: { ...payload.data, video } };
  }

  async function recordHealth(endpoint: EndpointRow, attempt: Attempt): Promise<void> {
    const health = healthAfter(endpoint, attempt, now());
    const gone = isGone(attempt);
    if (!health && !gone) return;
    try {
      await table.write({
        update: endpoint,
        set: gone
          ? {
              enabled: false,
              disabledReason: 'the endpoint answered 410 Gone',
              health: { ...endpoint.health, ...health, state: 'disabled' },
              stateVersion: endpoint.stateVersion + 1,
            }
          : { health },
        if: [{ attribute: 'stateVersion', is: '=', value: endpoint.stateVersion }],
      });
    } catch (error) {
      // Somebody enabled, disabled or deleted it meanwhile, which says more than this attempt.
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  function expiry() {
    return { expiresAt: finishedExpiry(now(), retentionDays) };
  }
}
