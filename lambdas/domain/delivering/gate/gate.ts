import { checkWait } from '../../backoff.ts';
import { intervalMs } from '../../rate-interval.ts';
import type { Lane, RowKey, Work } from '../../work.ts';
import type { EndpointKind } from '../endpoint-kinds/endpoint-kinds.ts';
import { type EndpointHealth, isOpen } from './health.ts';

/**
 * The delivery gate of an endpoint: decides whether its deliveries go out, and releases those that wait
 * (its backlog). It is part of the endpoint's own row.
 *
 * A delivery enters the backlog without a condition on the gate's row, since all writers of an endpoint
 * would collide there. Instead, its writer has read in the same function call that the gate is shut or
 * awake. Before a gate goes to sleep it is marked quiet for longer than any call lasts, and then checks
 * that its backlog is still empty.
 */
export type Gate = RowKey &
  Work & {
    kind: EndpointKind;
    enabled: boolean;
    /** Deliveries per second. */
    rateLimit?: number;
    health: EndpointHealth;
    /** Counts how often the gate opened, shut or recovered; a writer of the health must have read the last count. */
    stateVersion: number;
    /** Since when nothing waits, ms since epoch; the gate stays due for a last check. */
    quietSince?: number;
    /** Until when deliveries have been released, ms since epoch. */
    releasedUntil?: number;
    /** Since when deliveries wait for a free slot, ms since epoch. */
    crowdedSince?: number;
  };

/** What is removed from a gate's row when its work starts again. */
export const GATE_WORK = ['quietSince', 'crowdedSince'] as const satisfies (keyof Gate)[];

/**
 * The lane of gates and of the tasks of endpoints: the fast one, since none of them waits for a receiver. The
 * slow lane is for attempts to endpoints that are not known to be quick.
 */
export const GATE_LANE = 'deliver' as const satisfies Lane;

/** How long a gate is quiet before its last check, ms: over twice the longest call of a function that enters backlogs. */
export const QUIET_MS = 120_000;

/** Deliveries released per second from a backlog without a rate limit. */
const RELEASES_PER_SECOND = 100;

/** Whether the gate is due, or being worked on, and will check its backlog. */
export const isAwake = (gate: Work & Pick<Gate, 'quietSince'>): boolean =>
  gate.lane === GATE_LANE && gate.quietSince === undefined;

/** When an open breaker lets the next probe through; undefined while a probe goes out, and when nothing waits. */
export const nextProbeAt = (gate: Gate): number | undefined =>
  isOpen(gate.health) && isAwake(gate) && gate.owner === undefined ? gate.dueAt : undefined;

/** Between two releases from a gate's backlog, ms. */
export const intervalOf = ({ rateLimit = RELEASES_PER_SECOND }: Pick<Gate, 'rateLimit'>): number =>
  intervalMs(rateLimit);

const CROWDED_CHECKS = { firstMs: 1_000, longestMs: 60_000 };

/**
 * When a gate checks again for a free slot: at intervals that grow from 1 s to 1 min while it finds none,
 * so that the many callbacks of a slow origin do not keep workers busy with checks.
 */
export const crowdedCheckAt = ({ crowdedSince }: Pick<Gate, 'crowdedSince'>, now: number): number =>
  now + checkWait(now - (crowdedSince ?? now), CROWDED_CHECKS);
