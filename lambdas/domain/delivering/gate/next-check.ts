import { crowdedCheckAt, GATE_WORK, type Gate, QUIET_MS } from './gate.ts';
import { halfOpen, probeAt } from './health.ts';
import { RELEASE_EVERY_MS } from './release-plan.ts';

/** What a check of a gate has released from its backlog. */
type Release = {
  /** Deliveries. */
  readonly released: number;
  /** Whether the backlog is empty now. */
  readonly isEmpty: boolean;
  /** Until when starts are given out, ms since epoch. */
  readonly releasedUntil: number;
  /** Whether only free slots are filled, since the endpoint is not known to be quick. */
  readonly isCounted: boolean;
};

/** When a gate checks its backlog again, ms since epoch, or never until it is woken; and what its row notes. */
export type NextCheck = {
  readonly at: number | 'asleep';
  readonly set: Partial<Gate>;
  readonly remove: (keyof Gate)[];
};

/**
 * After a check of a gate that lets deliveries through: soon while deliveries are left, less and less often
 * while none of them finds a slot, and once more when the gate has been quiet for long.
 */
export function nextCheck(
  gate: Pick<Gate, 'crowdedSince' | 'quietSince'>,
  { released, isEmpty, releasedUntil, isCounted }: Release,
  now: number,
): NextCheck {
  const beforeTheyAreGone = releasedUntil - RELEASE_EVERY_MS;
  if (!isEmpty && !isCounted) {
    const at = Math.max(now + RELEASE_EVERY_MS, beforeTheyAreGone);
    return { at, set: { releasedUntil }, remove: [...GATE_WORK] };
  }
  if (!isEmpty) {
    const crowdedSince = released > 0 ? now : (gate.crowdedSince ?? now);
    const at = Math.max(crowdedCheckAt({ crowdedSince }, now), beforeTheyAreGone);
    return { at, set: { releasedUntil, crowdedSince }, remove: ['quietSince'] };
  }
  const { quietSince = now } = gate;
  const lastCheckAt = quietSince + QUIET_MS;
  if (released === 0 && gate.quietSince !== undefined && now >= lastCheckAt) {
    return { at: 'asleep', set: {}, remove: [...GATE_WORK, 'releasedUntil'] };
  }
  return { at: Math.max(lastCheckAt, now), set: { quietSince, releasedUntil }, remove: ['crowdedSince'] };
}

/**
 * After a check of a gate whose breaker is open: when the next probe goes out, if the backlog had one;
 * otherwise the next delivery that comes is the probe.
 */
export function nextCheckWhileOpen(
  { health, stateVersion }: Pick<Gate, 'health' | 'stateVersion'>,
  { released }: Pick<Release, 'released'>,
  now: number,
): NextCheck {
  if (released > 0) return { at: probeAt(health, now), set: {}, remove: [] };
  const set = { health: halfOpen(health), stateVersion: stateVersion + 1, quietSince: now };
  return { at: now + QUIET_MS, set, remove: ['crowdedSince'] };
}
