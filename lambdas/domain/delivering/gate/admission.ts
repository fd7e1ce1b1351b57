import { backlogPartition } from '../../rows.ts';
import type { Lane } from '../../work.ts';
import { isFetched } from '../endpoint-kinds/endpoint-kinds.ts';
import { type Gate, isAwake } from './gate.ts';
import { isOpen } from './health.ts';
import { type GateTarget, isFast, isLimited, type Limit, laneOf, limitsOf } from './standing.ts';

/** What the gate reads of a delivery that is due. */
type Candidate = {
  /** Failed attempts on the present schedule. */
  readonly failures: number;
  readonly bypassesBreaker?: true;
  /** When its endpoint was created: an endpoint may be deleted and named again with the same id. */
  readonly endpointCreatedAt: number;
};

/** What happens with a delivery that is due. */
type Admission =
  /** Its endpoint is deleted. */
  | { readonly outcome: 'cancel' }
  /** It waits in the backlog: `held` until the gate opens, `pending` until a slot is free or a client fetches it. */
  | { readonly outcome: 'wait'; readonly state: 'held' | 'pending' }
  /** Another queue attempts it. */
  | { readonly outcome: 'move'; readonly lane: Lane }
  | { readonly outcome: 'attempt'; readonly limits: readonly Limit[] };

/** Where a delivery begins: due in a lane, or in a backlog. */
type Start = { readonly lane: Lane } | { readonly backlogKey: string; readonly state: 'held' | 'pending' };

/**
 * Decides about a delivery that is due in a lane. An open breaker lets retries through, which their
 * schedule spaces, and anything that a probe or a person sends.
 *
 * @param workers of the slow queue at most
 */
export function admit(
  delivery: Candidate,
  lane: Lane,
  target: (GateTarget & { endpoint: { createdAt: number } }) | undefined,
  workers: number,
): Admission {
  if (target?.endpoint.createdAt !== delivery.endpointCreatedAt) return { outcome: 'cancel' };
  const { endpoint } = target;
  if (!endpoint.enabled) return { outcome: 'wait', state: 'held' };
  if (isFetched(endpoint)) return { outcome: 'wait', state: 'pending' };
  const bypasses = delivery.failures > 0 || delivery.bypassesBreaker;
  if (isOpen(endpoint.health) && !bypasses) return { outcome: 'wait', state: 'held' };
  if (lane === 'deliver' && !isFast(target)) return { outcome: 'move', lane: 'deliver-slow' };
  return { outcome: 'attempt', limits: limitsOf(target, workers) };
}

/**
 * Decides where a new delivery begins; one that would only wait begins in the backlog.
 *
 * @param isTest a person waits for its outcome, so an open breaker and those that wait do not keep it
 */
export function startOf(target: GateTarget, isTest = false): Start {
  const { endpoint } = target;
  const backlogKey = backlogPartition(endpoint);
  if (isFetched(endpoint)) return { backlogKey, state: 'pending' };
  if (!endpoint.enabled) return { backlogKey, state: 'held' };
  if (isTest) return { lane: laneOf(target) };
  if (isOpen(endpoint.health)) return { backlogKey, state: 'held' };
  // Other deliveries wait for a slot, and go first.
  if (isAwake(endpoint) && isLimited(target)) return { backlogKey, state: 'pending' };
  return { lane: laneOf(target) };
}

/**
 * The backlog that a delivery waits in. Replayed deliveries have a separate backlog, so that they keep no new
 * event waiting. A pull endpoint has one backlog, since clients fetch all of its deliveries from there.
 */
export const backlogOf = (endpoint: Gate, { inReplay }: { readonly inReplay?: true }): string =>
  backlogPartition(endpoint, inReplay && !isFetched(endpoint));
