import { type Attempt, isSuccess } from '../domain/delivering/attempt.ts';
import type { Target } from '../domain/delivering/endpoint.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';
import { createEndpointHealth } from './endpoint-health.ts';
import { createOriginHealth } from './origin-health.ts';

export type RecordHealth = ReturnType<typeof createRecordHealth>;

/**
 * Keeps the health of endpoints and origins. Each write demands the state that the attempt was made under: a
 * change since then says more than this attempt. Returns whether anything was written.
 */
export function createRecordHealth(dependencies: DeliverDependencies) {
  const endpoints = createEndpointHealth(dependencies);
  const origins = createOriginHealth(dependencies);

  async function after(target: Target, attempt: Attempt): Promise<boolean> {
    const outcome = { succeeded: isSuccess(attempt), durationMs: attempt.durationMs };
    const atOrigin = await origins.after(target, outcome);
    return (await endpoints.after(target.endpoint, attempt, outcome)) || atOrigin;
  }

  /** An attempt is taking long: the fast queue sends no more to this endpoint before it answers. */
  async function tooSlow(target: Target): Promise<boolean> {
    const written = await Promise.all([endpoints.tooSlow(target.endpoint), origins.tooSlow(target)]);
    return written.includes(true);
  }

  return { after, tooSlow };
}
