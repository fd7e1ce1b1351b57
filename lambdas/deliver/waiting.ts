import { equals } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import { type DeliveryRow, isFinal } from '../domain/delivering/delivery.ts';
import type { EndpointRow, Target } from '../domain/delivering/endpoint.ts';
import { backlogOf } from '../domain/delivering/gate/admission.ts';
import { crowdedCheckAt, isAwake } from '../domain/delivering/gate/gate.ts';
import { idsOf } from '../domain/row-ids.ts';
import { deliveryKey, endpointKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import { type Claim, finishWrite } from '../engine/claim-writes.ts';
import type { WorkContext } from '../engine/stage.ts';
import { entryWrite, wakeCrowdedGate } from '../rows/backlog.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

/** The ways in which a claimed delivery waits without a due time. */
export function createWaiting({ table, claims, targets, now, log }: DeliverDependencies) {
  /** Into the backlog of a gate that is shut or awake (see domain/delivering/gate/gate.ts). */
  async function inBacklog(
    claim: Claim<DeliveryRow>,
    endpoint: EndpointRow,
    state: 'held' | 'pending',
  ): Promise<void> {
    const backlogKey = backlogOf(endpoint, claim.row);
    await claims.commit(claim, finishWrite(claim, { set: { state, backlogKey } }), [
      entryWrite(backlogKey, claim.row),
    ]);
    log.info('waits', { ...idsOf(claim.row), state });
  }

  /** Puts the delivery into the backlog; the gate releases it when a slot is free. */
  async function forSlot(claim: Claim<DeliveryRow>, target: Target, { hint }: WorkContext): Promise<void> {
    await hint(await wakeCrowded(target.endpoint));
    targets.forget(target);
    await inBacklog(claim, target.endpoint, 'pending');
  }

  /**
   * Wakes the gate of an endpoint without a free slot, unless it is awake. Its row is read again: others of
   * this invocation may have woken it, or it may have fallen quiet, since the endpoint was read.
   */
  async function wakeCrowded({ id }: EndpointRow): Promise<Due | undefined> {
    return optimistic(async () => {
      const gate = await table.get<EndpointRow>(endpointKey(id));
      if (!gate || isAwake(gate)) return undefined;
      const { write, due } = wakeCrowdedGate(gate, crowdedCheckAt(gate, now()), now());
      await table.write(write, 'nothing');
      return due;
    });
  }

  /**
   * Whether the predecessor of a delivery to an ordered endpoint is not final yet. It then waits without a
   * due time, named there, and the end of the predecessor makes it due.
   */
  async function forPredecessor(claim: Claim<DeliveryRow>): Promise<boolean> {
    const { predecessor, endpointId, eventId, attemptCount } = claim.row;
    if (predecessor === undefined || attemptCount > 0) return false;
    return optimistic(
      async () => {
        const row = await table.get<DeliveryRow>(deliveryKey(endpointId, predecessor));
        if (!row || isFinal(row)) return false;
        await claims.commit(claim, finishWrite(claim), [
          { update: row, set: { successor: eventId }, if: [equals('state', row.state)] },
        ]);
        log.info('waits', { ...idsOf(claim.row), state: 'pending', predecessor });
        return true;
      },
      { unless: firstRefused },
    );
  }

  return { inBacklog, forSlot, forPredecessor };
}
