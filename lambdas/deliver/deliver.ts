import { readOnce } from '../adapters/read-once.ts';
import type { CallbackErasureRow } from '../domain/delivering/callback-erasure.ts';
import type { CancellationRow } from '../domain/delivering/cancellation.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow, EndpointSecret } from '../domain/delivering/endpoint.ts';
import type { ReplayRow } from '../domain/delivering/replay.ts';
import type { UrlTestRow } from '../domain/delivering/url-test.ts';
import { workOf } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { stage, type WorkContext } from '../engine/stage.ts';
import { createTargets } from '../rows/targets.ts';
import { createCancelDeliveries } from './cancel-deliveries.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';
import { createDeliverEvent } from './deliver-event.ts';
import { createEraseCallback } from './erase-callback.ts';
import { createRateLimiter } from './rate-limiter.ts';
import { createRecordHealth } from './record-health.ts';
import { createReleaseBacklog } from './release-backlog.ts';
import { createReplayDeliveries } from './replay-deliveries.ts';
import { createSend } from './send.ts';
import { createTestUrl } from './test-url.ts';

type DeliverOptions = Omit<DeliverDependencies, 'targets' | 'limiter'> & {
  /** Rows worked on at a time. */
  readonly concurrency?: number;
};

/** An attempt may take its 15 s, and what it leads to is still to be written. */
const ROW_MS = 20_000;

/** The stage that sends: its rows are deliveries, gates, and the tasks to replay, cancel, erase a callback and test a URL. */
export function createDeliver(options: DeliverOptions) {
  const { table, claims, hints, now, concurrency } = options;
  const targets = createTargets(table);
  const secrets = readOnce<readonly EndpointSecret[]>();
  const shared = {
    ...options,
    targets,
    limiter: createRateLimiter(table),
    callbackSecrets: () => secrets.of('callbacks', options.callbackSecrets),
  };
  const deliverEvent = createDeliverEvent({
    ...shared,
    send: createSend(shared),
    recordHealth: createRecordHealth(shared),
  });
  const releaseBacklog = createReleaseBacklog(shared);
  const cancelDeliveries = createCancelDeliveries(shared);
  const replayDeliveries = createReplayDeliveries(shared);
  const eraseCallback = createEraseCallback(shared);
  const testUrl = createTestUrl(shared);

  async function work(claim: Claim, context: WorkContext): Promise<void> {
    const { kind } = workOf(claim.row);
    if (kind === 'delivery') return deliverEvent(claim as Claim<DeliveryRow>, context);
    if (kind === 'replay') return replayDeliveries(claim as Claim<ReplayRow>, context);
    if (kind === 'erasure') return eraseCallback(claim as Claim<CallbackErasureRow>);
    if (kind === 'cancellation') return cancelDeliveries(claim as Claim<CancellationRow>, context);
    if (kind === 'url-test') return testUrl(claim as Claim<UrlTestRow>);
    return releaseBacklog(claim as Claim<EndpointRow>, context);
  }

  return stage<RowKey>({
    lanes: ['deliver', 'deliver-slow'],
    claims,
    hints,
    now,
    concurrency,
    rowMs: ROW_MS,
    // An endpoint's deliveries of one invocation go out in order, and one at a time.
    sequence: ({ pk, sk }) => (pk.includes('#') ? pk : sk),
    // What was read of endpoints serves the rows of one invocation.
    before: () => {
      targets.forget();
      secrets.forgetAll();
    },
    work,
  });
}
