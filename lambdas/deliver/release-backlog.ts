import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow, Target } from '../domain/delivering/endpoint.ts';
import { isFetched } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { GATE_WORK, intervalOf } from '../domain/delivering/gate/gate.ts';
import { isOpen } from '../domain/delivering/gate/health.ts';
import { type NextCheck, nextCheck, nextCheckWhileOpen } from '../domain/delivering/gate/next-check.ts';
import { AHEAD_MS, busyAt, planned } from '../domain/delivering/gate/rate-limiter.ts';
import { interleave, releaseTimes } from '../domain/delivering/gate/release-plan.ts';
import { laneOf, limitsOf } from '../domain/delivering/gate/standing.ts';
import type { Lane } from '../domain/work.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { inParallel } from '../engine/in-parallel.ts';
import type { WorkContext } from '../engine/stage.ts';
import { type BacklogEntry, createBacklogs } from '../rows/backlog.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

const PAGE = 50;
const AT_ONCE = 10;

/**
 * The work of a gate that is awake: releases deliveries from its backlog, new and replayed ones, the oldest
 * events first. It releases all within the rate limit when the endpoint answers well, as many as there are
 * free slots when it does not, one as a probe while its breaker is open, and none while it is disabled.
 */
export function createReleaseBacklog(dependencies: DeliverDependencies) {
  const { table, claims, targets, limiter, maxDeliveries, now, log } = dependencies;
  const backlogs = createBacklogs(table);

  return async function releaseBacklog(claim: Claim<EndpointRow>, context: WorkContext): Promise<void> {
    const endpoint = claim.row;
    if (!endpoint.enabled || isFetched(endpoint)) {
      await claims.finish(claim, { remove: GATE_WORK });
      return;
    }
    const check = isOpen(endpoint.health) ? probe : releaseWithinLimits;
    const { at, set, remove } = await check(endpoint, context);
    if (at === 'asleep') await claims.finish(claim, { set, remove });
    else await context.hint(await claims.again(claim, at, { set, remove }));
  };

  async function releaseWithinLimits(endpoint: EndpointRow, context: WorkContext): Promise<NextCheck> {
    const target = await targets.withOrigin(endpoint);
    const { interval, from, slots } = await room(target);
    const times = releaseTimes(from, now() + AHEAD_MS, interval).slice(0, slots);
    const { released, isEmpty } = await releaseAt(endpoint, times, laneOf(target), {}, context);
    if (released > 0) log.info('released', { endpointId: endpoint.id, released });
    const last = times[released - 1];
    const releasedUntil = last === undefined ? from : Math.ceil(last + interval);
    const isCounted = slots !== Number.POSITIVE_INFINITY;
    return nextCheck(endpoint, { released, isEmpty, releasedUntil, isCounted }, now());
  }

  /** Releases one delivery while the breaker is open. */
  async function probe(endpoint: EndpointRow, context: WorkContext): Promise<NextCheck> {
    const bypass = { bypassesBreaker: true } as const;
    const release = await releaseAt(endpoint, [now()], 'deliver-slow', bypass, context);
    return nextCheckWhileOpen(endpoint, release, now());
  }

  /** From when, how far apart and how many deliveries may be released now. */
  async function room(target: Target): Promise<{ interval: number; from: number; slots: number }> {
    const { endpoint } = target;
    const interval = intervalOf(endpoint);
    const limits = limitsOf(target, maxDeliveries);
    const states = await Promise.all(limits.map(({ key }) => limiter.stateOf(key)));
    const free = limits.map(({ atOnce }, i) =>
      atOnce === undefined ? Number.POSITIVE_INFINITY : atOnce - busyAt(states[i]!, now()),
    );
    // Attempts that did not come from the backlog may have taken later times than it gave out.
    const taken = limits.map(({ perSecond }, i) => (perSecond === undefined ? 0 : states[i]!.nextAt));
    const from = Math.max(
      ...[endpoint.releasedUntil ?? 0, ...taken].map((at) => planned(at, now(), interval)),
    );
    return { interval, from, slots: Math.max(0, Math.min(...free, Number.POSITIVE_INFINITY)) };
  }

  /** Releases an entry for each of the times, and says whether the backlog is empty afterwards. */
  async function releaseAt(
    endpoint: EndpointRow,
    times: readonly number[],
    lane: Lane,
    set: Partial<DeliveryRow>,
    { deadline, hint }: WorkContext,
  ): Promise<{ released: number; isEmpty: boolean }> {
    let released = 0;
    for (;;) {
      const left = times.slice(released, released + PAGE);
      const limit = Math.max(1, left.length);
      const [{ rows: fresh }, { rows: replayed }] = await Promise.all([
        backlogs.first(endpoint, limit),
        backlogs.first(endpoint, limit, true),
      ]);
      const waiting = fresh.length + replayed.length;
      if (waiting === 0) return { released, isEmpty: true };
      if (left.length === 0 || now() > deadline) return { released, isEmpty: false };
      const page = interleave<BacklogEntry>(left, intervalOf(endpoint), fresh, replayed);
      await hint(
        await inParallel(page, AT_ONCE, ({ entry, dueAt }) => backlogs.release(entry, lane, dueAt, set)),
      );
      released += page.length;
      if (waiting < left.length) return { released, isEmpty: true };
    }
  }
}
