import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import { afterAttempt } from '../domain/delivering/delivery-outcome.ts';
import type { Target } from '../domain/delivering/endpoint.ts';
import { idsOf } from '../domain/row-ids.ts';
import { againWrite, type Claim } from '../engine/claim-writes.ts';
import type { WorkContext } from '../engine/stage.ts';
import type { AttemptResult } from './attempt.ts';
import { bestEffort } from './best-effort.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';
import { createFinishDelivery } from './finish-delivery.ts';
import type { RecordHealth } from './record-health.ts';

/** Commits what an attempt leads to: delivered, due again or failed; then the health of its endpoint. */
export function createRecordAttempt(
  dependencies: DeliverDependencies & { readonly recordHealth: RecordHealth },
) {
  const { claims, targets, recordHealth, now, random, log, count } = dependencies;
  const finishDelivery = createFinishDelivery(dependencies);

  return async function recordAttempt(
    claim: Claim<DeliveryRow>,
    target: Target,
    { attempt, retryAfterMs }: AttemptResult,
    { hint }: WorkContext,
  ): Promise<void> {
    const { row } = claim;
    const outcome = afterAttempt(row, attempt, now(), random(), retryAfterMs);
    if ('dueAt' in outcome) {
      const { set, dueAt } = outcome;
      const retry = againWrite(claim, dueAt, { lane: 'deliver-slow', set, remove: ['bypassesBreaker'] });
      await hint(await claims.commit(claim, retry));
    } else {
      await hint(await finishDelivery(claim, outcome.set));
      if (outcome.set.state === 'delivered') {
        count('DeliveriesSucceeded');
        count('DeliveryLatency', now() - row.createdAt);
      } else count('DeliveriesFailed');
    }
    if (await bestEffort(dependencies, row, 'health not recorded', recordHealth.after(target, attempt)))
      targets.forget(target);
    log.info('attempted', {
      ...idsOf(row),
      statusCode: attempt.statusCode,
      error: attempt.error,
      durationMs: attempt.durationMs,
      state: outcome.set.state ?? 'pending',
      nextAttemptAt: 'dueAt' in outcome ? outcome.dueAt : undefined,
    });
  };
}
