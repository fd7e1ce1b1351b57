import { present } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import type { EventRow } from '../../domain/events/event.ts';
import type { Registration } from '../../domain/requests/registration.ts';
import { eventExpiry } from '../../domain/retention.ts';
import { inParallel } from '../../engine/in-parallel.ts';
import { eventsOf } from '../../rows/events.ts';
import { countWrites } from '../../rows/request-counts.ts';
import type { ApiContext } from '../http/context.ts';
import type { Commit, Effect } from '../http/idempotency.ts';
import { endpointsOf, type Found, findRequests, newestEvent } from './find-requests.ts';
import { planRegistration } from './plan-registration.ts';

type RegisterContext = Pick<ApiContext, 'table' | 'now' | 'retentionDays'>;

/** Events whose expiry is extended at a time. */
const KEPT_AT_ONCE = 25;

/**
 * Registers a request, or adds to one that is tracked: each in one transaction, so that no reader sees
 * half of it. Registering again resets nothing; a restart polls an ended request again.
 */
export function createRegister({ table, now, retentionDays }: RegisterContext) {
  return async function register(
    registration: Registration,
    restart: boolean,
    commit: Commit,
  ): Promise<Effect> {
    return optimistic(async () => {
      const [[found = NOTHING_FOUND], lastEvent] = await Promise.all([
        findRequests(table, [registration]),
        newestEvent(table, registration.requestId),
      ]);
      const endpoints = restart ? await endpointsOf(table, found.meta) : found.endpoints;
      const all = { ...found, lastEvent, endpoints: new Map([...endpoints, ...found.endpoints]) };
      const plan = planRegistration(registration, restart, all, now(), retentionDays);
      if (plan.restarts) await keepEvents(registration.requestId);
      const { status, writes, due } = plan;
      const counts = countWrites(plan.counts, registration.requestId);
      return commit([...writes, ...counts], { status, ids: { requestId: registration.requestId }, due });
    });
  };

  /** Extends the expiry of what was observed before: a request that is restarted may outlive it. */
  async function keepEvents(requestId: string): Promise<void> {
    const expiresAt = eventExpiry(now(), retentionDays);
    const events = await table.queryAll<EventRow>(eventsOf(requestId));
    await inParallel(events, KEPT_AT_ONCE, (row) =>
      table.write({ update: row, set: { expiresAt }, if: [present('pk')] }),
    );
  }
}

const NOTHING_FOUND: Found = { endpoints: new Map() };
