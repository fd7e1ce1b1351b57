import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { Target } from '../domain/delivering/endpoint.ts';
import { admit } from '../domain/delivering/gate/admission.ts';
import { SLOW_MS } from '../domain/delivering/gate/health.ts';
import type { Limit } from '../domain/delivering/gate/standing.ts';
import { idsOf } from '../domain/row-ids.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { WorkContext } from '../engine/stage.ts';
import type { AttemptResult } from './attempt.ts';
import { bestEffort } from './best-effort.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';
import { createFinishDelivery } from './finish-delivery.ts';
import { createRecordAttempt } from './record-attempt.ts';
import type { RecordHealth } from './record-health.ts';
import type { Send } from './send.ts';
import { createWaiting } from './waiting.ts';

/**
 * How long an attempt waits for the time that the rate limit gives it, ms. SQS delays by whole seconds, so all
 * attempts of one second arrive at once, up to a second late. In the fast queue, other deliveries wait behind
 * this one, so there the wait counts from its due time.
 */
const MAX_WAIT_MS = 2_000;
const MIN_WAIT_MS = 50;

/** Makes one attempt at a claimed delivery if the gate admits it; otherwise the delivery waits or is canceled. */
export function createDeliverEvent(
  dependencies: DeliverDependencies & { readonly send: Send; readonly recordHealth: RecordHealth },
) {
  const { claims, targets, limiter, send, recordHealth } = dependencies;
  const { now, sleep, after, maxDeliveries, log } = dependencies;
  const finishDelivery = createFinishDelivery(dependencies);
  const recordAttempt = createRecordAttempt(dependencies);
  const waiting = createWaiting(dependencies);

  return async function deliverEvent(claim: Claim<DeliveryRow>, context: WorkContext): Promise<void> {
    const target = await targets.of(claim.row.endpointId);
    const admission = admit(claim.row, claim.lane, target, maxDeliveries);
    if (!target || admission.outcome === 'cancel') {
      const due = await finishDelivery(claim, { state: 'canceled' });
      log.info('canceled', idsOf(claim.row));
      return context.hint(due);
    }
    if (admission.outcome === 'wait') return waiting.inBacklog(claim, target.endpoint, admission.state);
    if (admission.outcome === 'move') {
      return context.hint(await claims.again(claim, now(), { lane: admission.lane }));
    }
    if (await waiting.forPredecessor(claim)) return;

    const { limits } = admission;
    const sendAt = await acquire(claim, limits);
    if (sendAt === undefined) return waiting.forSlot(claim, target, context);
    let result: AttemptResult;
    try {
      if (sendAt > now()) await sleep(sendAt - now());
      result = await watched(claim, target, send(target.endpoint, claim.row));
    } finally {
      await bestEffort(dependencies, claim.row, 'slot not released', limiter.release(limits, claim.nonce));
    }
    await recordAttempt(claim, target, result, context);
  };

  /** Watches an attempt: while a slow one is still under way, the fast queue stops sending to its endpoint. */
  async function watched(
    { lane, row }: Claim<DeliveryRow>,
    target: Target,
    attempt: Promise<AttemptResult>,
  ): Promise<AttemptResult> {
    if (lane !== 'deliver') return attempt;
    let recorded: Promise<boolean | undefined> | undefined;
    const answered = after(SLOW_MS, () => {
      recorded = bestEffort(dependencies, row, 'slowness not recorded', recordHealth.tooSlow(target));
    });
    try {
      return await attempt;
    } finally {
      answered();
      if (await recorded) targets.forget(target);
    }
  }

  async function acquire(claim: Claim, limits: readonly Limit[]): Promise<number | undefined> {
    const at = now();
    if (limits.length === 0) return at;
    const late = Math.max(MIN_WAIT_MS, claim.hintedAt + MAX_WAIT_MS - at);
    const maxWaitMs = claim.lane === 'deliver' ? Math.min(late, MAX_WAIT_MS) : MAX_WAIT_MS;
    return limiter.acquire(limits, { nonce: claim.nonce, now: at, maxWaitMs });
  }
}
