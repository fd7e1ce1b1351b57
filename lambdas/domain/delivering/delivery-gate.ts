import { originKey } from '../rows.ts';
import type { RowKey, Work } from '../work.ts';
import type { EndpointHealth } from './health.ts';
import { AHEAD_MS, intervalMs } from './rate-limiter.ts';

/**
 * What decides whether deliveries go out, and releases those that wait (its backlog): the row of an
 * account-wide endpoint itself, for callbacks that of their origin.
 *
 * A backlog is entered without a check of the gate, which would make all who write to an endpoint
 * collide on its row. Instead, whoever enters it has seen, in the life of the same function call, the
 * gate shut or awake; and a gate falls asleep only when it was quiet, and so seen as not awake, for
 * longer than any call lasts, and its backlog then still is empty.
 */
export type Gate = Work & {
  health: EndpointHealth;
  /** Counts what opens and shuts the gate; who writes of its health must have seen the last count. */
  stateVersion: number;
  /** Since when nothing waits; it stays due for a last look. */
  quietSince?: number;
  /** Until when deliveries have been released, ms since epoch. */
  releasedUntil?: number;
};

export type GateRow = RowKey & Gate & { origin?: string };

/** How long a gate is quiet before its last look, ms: more than twice the longest call of a function that enters backlogs. */
export const QUIET_MS = 120_000;

/** Deliveries released per second from a backlog without a rate limit. */
export const RELEASES_PER_SECOND = 100;
/** After how long more deliveries are released, ms: before those that were released ahead are gone. */
export const RELEASE_EVERY_MS = AHEAD_MS / 2;

/** Whether the gate is due, or being worked on, and will look at its backlog. */
export const isAwake = (gate: Gate): boolean => gate.lane === 'deliver-slow' && gate.quietSince === undefined;

/** The gate of an origin that nothing is known of yet. */
export const newOrigin = (origin: string): GateRow => ({
  ...originKey(origin),
  origin,
  health: { state: 'healthy' },
  stateVersion: 0,
});

/** Between two releases from a gate's backlog, ms. */
export const intervalOf = ({ rateLimit = RELEASES_PER_SECOND }: { rateLimit?: number }): number =>
  intervalMs(rateLimit);

/** One in so many releases is for what is replayed, the others for new events, while both wait. */
const REPLAYS_SHARE = 4;

/**
 * Who goes out at each of the times, from both queues in their order: at a replay's time what is
 * replayed, else what is new, and the other where the one is empty. A time tells by itself whose it is,
 * so that even one release in minutes is shared.
 */
export function interleave<T>(
  times: readonly number[],
  interval: number,
  fresh: readonly T[],
  replayed: readonly T[],
): { entry: T; dueAt: number }[] {
  const [mine, theirs] = [[...fresh], [...replayed]];
  return times.flatMap((dueAt) => {
    const isTheirs = Math.floor(dueAt / interval) % REPLAYS_SHARE === 0;
    const entry = isTheirs ? (theirs.shift() ?? mine.shift()) : (mine.shift() ?? theirs.shift());
    return entry === undefined ? [] : [{ entry, dueAt }];
  });
}

/** Times at which the next of a backlog go out, from `from` up to `until`. */
export function releaseTimes(from: number, until: number, interval: number): number[] {
  const count = Math.max(0, Math.ceil((until - from) / interval));
  return Array.from({ length: count }, (_, i) => Math.ceil(from + i * interval));
}
