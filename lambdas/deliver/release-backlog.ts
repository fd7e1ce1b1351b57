import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow, Target } from '../domain/delivering/endpoint.ts';
import { isFetched } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { crowdedCheckAt, GATE_WORK, intervalOf, QUIET_MS } from '../domain/delivering/gate/gate.ts';
import { halfOpen, isOpen, probeAt } from '../domain/delivering/gate/health.ts';
import { AHEAD_MS, busyAt, planned } from '../domain/delivering/gate/rate-limiter.ts';
import { interleave, RELEASE_EVERY_MS, releaseTimes } from '../domain/delivering/gate/release-plan.ts';
import { laneOf, limitsOf } from '../domain/delivering/gate/standing.ts';
import type { Lane } from '../domain/work.ts';
import type { Claim } from '../engine/claims.ts';
import { inParallel } from '../engine/in-parallel.ts';
import type { WorkContext } from '../engine/stage.ts';
import { type BacklogEntry, createBacklogs } from '../rows/backlog.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

const PAGE = 50;
const AT_ONCE = 10;

/**
 * The work of a gate that is awake: releases deliveries from its backlog, the oldest events first, and
 * replayed ones beside new ones. All of them within the rate limit when the endpoint answers well, as many
 * as there are free slots when it does not, one as a probe while its breaker is open, none while it is
 * disabled.
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
    if (isOpen(endpoint.health)) return probe(claim, context);

    const target = await targets.withOrigin(endpoint);
    const { interval, from, slots } = await room(target);
    const times = releaseTimes(from, now() + AHEAD_MS, interval).slice(0, slots);
    const lane = laneOf(target);
    const { released, isEmpty } = await releaseAt(endpoint, times, lane, {}, context);
    if (released > 0) log.info('released', { endpointId: endpoint.id, released });
    const last = times[released - 1];
    const releasedUntil = last === undefined ? from : Math.ceil(last + interval);
    const { hint } = context;
    if (!isEmpty && slots === Number.POSITIVE_INFINITY) {
      const at = Math.max(now() + RELEASE_EVERY_MS, releasedUntil - RELEASE_EVERY_MS);
      return hint(await claims.again(claim, at, { set: { releasedUntil }, remove: GATE_WORK }));
    }
    if (!isEmpty) {
      const crowdedSince = released > 0 ? now() : (endpoint.crowdedSince ?? now());
      const at = Math.max(crowdedCheckAt({ crowdedSince }, now()), releasedUntil - RELEASE_EVERY_MS);
      const set = { releasedUntil, crowdedSince };
      return hint(await claims.again(claim, at, { set, remove: ['quietSince'] }));
    }
    const { quietSince = now() } = endpoint;
    const lastCheckAt = quietSince + QUIET_MS;
    if (released === 0 && endpoint.quietSince !== undefined && now() >= lastCheckAt) {
      await claims.finish(claim, { remove: [...GATE_WORK, 'releasedUntil'] });
      return;
    }
    const set = { quietSince, releasedUntil };
    return hint(await claims.again(claim, Math.max(lastCheckAt, now()), { set, remove: ['crowdedSince'] }));
  };

  /** Releases one delivery while the breaker is open. */
  async function probe(claim: Claim<EndpointRow>, context: WorkContext): Promise<void> {
    const { health, stateVersion } = claim.row;
    const bypass = { bypassesBreaker: true } as const;
    const { released } = await releaseAt(claim.row, [now()], 'deliver-slow', bypass, context);
    if (released > 0) return context.hint(await claims.again(claim, probeAt(health, now())));
    // Nothing to probe with: the next delivery that comes is the probe.
    const set = { health: halfOpen(health), stateVersion: stateVersion + 1, quietSince: now() };
    const remove = ['crowdedSince'];
    return context.hint(await claims.again(claim, now() + QUIET_MS, { set, remove }));
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
