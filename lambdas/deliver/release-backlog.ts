import type { Table } from '../adapters/dynamodb/table.ts';
import { type BacklogEntry, createBacklogs } from '../adapters/rows/backlog.ts';
import {
  type GateRow,
  interleave,
  intervalOf,
  QUIET_MS,
  RELEASE_EVERY_MS,
  releaseTimes,
} from '../domain/delivering/delivery-gate.ts';
import type { EndpointRow } from '../domain/delivering/endpoint.ts';
import { halfOpen, isOpen, mostAtOnce, probeAt } from '../domain/delivering/health.ts';
import { AHEAD_MS, busyAt, planned, UNUSED } from '../domain/delivering/rate-limiter.ts';
import { type Claim, dueAfter, type Release, releaseOnce } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';
import { inParallel } from '../engine/in-parallel.ts';
import type { WorkContext } from '../engine/stage.ts';
import type { RateLimiter } from './rate-limiter.ts';

export type ReleaseDependencies = {
  readonly table: Table;
  readonly limiter: RateLimiter;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

const PAGE = 50;
const AT_ONCE = 10;
/** How often the backlog of a gate that has not proven itself is looked at, ms. */
const CROWDED_MS = 1_000;

/**
 * A gate's turn: releases what waits in its backlog, the oldest events first, and what is replayed
 * beside the new ones. All of it within the rate limit when the gate answers well, as many as may be
 * under way when it has not proven itself, one as a probe while its breaker is open, nothing while it
 * is disabled.
 */
export function createReleaseBacklog({ table, limiter, hints, now, log }: ReleaseDependencies) {
  const backlogs = createBacklogs(table);

  return async function releaseBacklog(
    claim: Claim<GateRow & Partial<EndpointRow>>,
    { deadline }: WorkContext,
  ): Promise<void> {
    const gate = claim.row;
    // Clients fetch from the backlog of a pull endpoint.
    if (gate.enabled === false || gate.kind === 'pull') return release(claim, { remove: ['quietSince'] });
    if (isOpen(gate.health)) {
      const { released } = await releaseSome(claim, [now()], { bypassesBreaker: true }, deadline);
      if (released > 0) return release(claim, { dueAt: probeAt(gate.health, now()) });
      // Nothing to probe with: the next delivery that comes is the probe.
      const set = { health: halfOpen(gate.health), stateVersion: gate.stateVersion + 1, quietSince: now() };
      return release(claim, { dueAt: now() + QUIET_MS, set });
    }

    const interval = intervalOf(gate);
    // The health of a callback is its origin's.
    const atOnce = gate.kind === 'callback' ? undefined : mostAtOnce(gate.health);
    const free = atOnce === undefined && gate.rateLimit === undefined;
    const taken = free ? UNUSED : await limiter.stateOf(gate);
    // Attempts that did not come from the backlog may have taken later turns than it gave out.
    const from = Math.max(
      ...[gate.releasedUntil ?? 0, taken.nextAt].map((at) => planned(at, now(), interval)),
    );
    const times = releaseTimes(from, now() + AHEAD_MS, interval);
    const room = atOnce === undefined ? times.length : atOnce - busyAt(taken, now());
    const { released, empty } = await releaseSome(claim, times.slice(0, Math.max(0, room)), {}, deadline);
    if (released > 0) log.info('released', { gate: gate.sk, released });
    const last = times[released - 1];
    const releasedUntil = last === undefined ? from : Math.ceil(last + interval);
    if (!empty) {
      const soon = atOnce === undefined ? RELEASE_EVERY_MS : CROWDED_MS;
      return release(claim, {
        dueAt: Math.max(now() + soon, releasedUntil - RELEASE_EVERY_MS),
        set: { releasedUntil },
        remove: ['quietSince'],
      });
    }
    const { quietSince = now() } = gate;
    const lastLook = quietSince + QUIET_MS;
    if (released === 0 && gate.quietSince !== undefined && now() >= lastLook) {
      return release(claim, { remove: ['quietSince', 'releasedUntil'] });
    }
    return release(claim, { dueAt: Math.max(lastLook, now()), set: { quietSince, releasedUntil } });
  };

  /** Releases an entry for each of the times, and says whether the backlog is empty afterwards. */
  async function releaseSome(
    claim: Claim<GateRow & Partial<EndpointRow>>,
    times: readonly number[],
    more: { bypassesBreaker?: true },
    deadline: number,
  ): Promise<{ released: number; empty: boolean }> {
    let released = 0;
    for (;;) {
      const left = times.slice(released, released + PAGE);
      const limit = Math.max(1, left.length);
      const [{ rows: fresh }, { rows: replayed }] = await Promise.all([
        backlogs.first(claim.row, limit),
        backlogs.first(claim.row, limit, true),
      ]);
      const waiting = fresh.length + replayed.length;
      if (waiting === 0) return { released, empty: true };
      if (left.length === 0 || now() > deadline) return { released, empty: false };
      const page = interleave(left, intervalOf(claim.row), fresh, replayed);
      await releasePage(page, more);
      released += page.length;
      if (waiting < left.length) return { released, empty: true };
    }
  }

  async function releasePage(
    due: readonly { entry: BacklogEntry; dueAt: number }[],
    more: { bypassesBreaker?: true },
  ) {
    const hinted = await inParallel(due, AT_ONCE, ({ entry, dueAt }) => backlogs.release(entry, dueAt, more));
    const found = hinted.filter((hint) => hint !== undefined);
    if (found.length > 0) await hints.send('deliver-slow', found);
  }

  async function release(claim: Claim<GateRow>, change: Release): Promise<void> {
    const { pk, sk } = claim.row;
    await releaseOnce(table, claim, change);
    if (change.dueAt === undefined) return;
    await hints.send('deliver-slow', [{ pk, sk, dueAt: dueAfter(claim, change.dueAt) }]);
  }
}
