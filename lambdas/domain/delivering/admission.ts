import { backlogPartition } from '../rows.ts';
import type { Lane } from '../work.ts';
import type { DeliveryRow } from './delivery.ts';
import { type GateRow, isAwake } from './delivery-gate.ts';
import type { EndpointRow } from './endpoint.ts';
import { isOpen, isProven } from './health.ts';

/** Whom a delivery is for, and who decides when it goes out; for account-wide endpoints both are one row. */
export type Target = { readonly endpoint: EndpointRow; readonly gate: GateRow };

/** Where a delivery begins: due in a lane, or in a backlog. */
export type Start = { readonly lane: Lane } | Waiting;
export type Waiting = { readonly backlogKey: string; readonly state: 'held' | 'pending' };

/** The gate that paces an endpoint: one with a rate limit is paced by itself. */
export const pacer = ({ endpoint, gate }: Target): GateRow =>
  endpoint.rateLimit === undefined ? gate : endpoint;

/**
 * The backlog of a gate that a delivery waits in. What is replayed has one of its own, so that it keeps
 * no new event waiting; but clients fetch all that is for a pull endpoint from one.
 */
export const backlogOf = (
  gate: GateRow & Partial<EndpointRow>,
  { inReplay }: Pick<DeliveryRow, 'inReplay'>,
) => backlogPartition(gate, inReplay && gate.kind !== 'pull');

/** First attempts to endpoints that answer well use the fast queue; what would only wait begins in a backlog. */
export function startOf(target: Target): Start {
  const { endpoint, gate } = target;
  if (endpoint.kind === 'pull') return { backlogKey: backlogPartition(endpoint), state: 'pending' };
  const shut = shutBy(target);
  if (shut) return { backlogKey: backlogPartition(shut), state: 'held' };
  const proven = isProven(gate.health);
  const paced = pacer(target);
  if (isAwake(paced) && (!proven || endpoint.rateLimit !== undefined)) {
    return { backlogKey: backlogPartition(paced), state: 'pending' };
  }
  return { lane: proven ? 'deliver' : 'deliver-slow' };
}

/**
 * The gate that holds a due delivery. An open breaker lets retries through, which their schedule
 * spaces, and whatever a probe or a person sends.
 */
export function heldBy(row: DeliveryRow, target: Target): GateRow | undefined {
  const shut = shutBy(target);
  if (shut === target.endpoint && !target.endpoint.enabled) return shut;
  return row.failures > 0 || row.bypassesBreaker ? undefined : shut;
}

function shutBy({ endpoint, gate }: Target): GateRow | undefined {
  if (!endpoint.enabled) return endpoint;
  return isOpen(gate.health) ? gate : undefined;
}
