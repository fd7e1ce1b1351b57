import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { equals, type Write } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { type Attempt, isGone } from '../domain/delivering/attempt.ts';
import type { EndpointRow } from '../domain/delivering/endpoint.ts';
import { GATE_LANE, GATE_WORK, isAwake } from '../domain/delivering/gate/gate.ts';
import {
  afterOutcome,
  disabled,
  type EndpointHealth,
  type HealthChange,
  type Outcome,
  probeAt,
} from '../domain/delivering/gate/health.ts';
import type { EventDraft } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import { iso } from '../domain/iso.ts';
import { eventExpiry } from '../domain/retention.ts';
import { outboxKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import { wake, withdraw } from '../engine/wake.ts';
import { endpointEventWrites } from '../rows/outbox.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

/**
 * Keeps the health of endpoints: opens and closes the breaker, gives endpoints up, and informs the others.
 * Returns whether anything was written.
 */
export function createEndpointHealth(dependencies: DeliverDependencies) {
  const { table, hints, now, retentionDays, log, count } = dependencies;

  async function after(endpoint: EndpointRow, attempt: Attempt, outcome: Outcome): Promise<boolean> {
    if (isGone(attempt)) return giveUp(endpoint, 'it answered 410 Gone', endpoint.health);
    const change = afterOutcome(endpoint.health, outcome, now());
    if (change?.transition === 'given up') {
      return giveUp(endpoint, 'it has failed for 5 days', { ...change.health, state: 'failing' });
    }
    return change !== undefined && write(endpoint, change);
  }

  const tooSlow = (endpoint: EndpointRow): Promise<boolean> =>
    writeIf(table, healthWrite(endpoint, { ...endpoint.health, slow: true }));

  async function write(endpoint: EndpointRow, change: HealthChange): Promise<boolean> {
    const { transition, health, recovered } = change;
    // When several attempts succeed at the same time, only one reports the recovery.
    const isSingle = transition !== undefined || recovered;
    const stateVersion = endpoint.stateVersion + (isSingle ? 1 : 0);
    const wakes = transition === 'closed' || (health.state === 'healthy' && isAwake(endpoint));
    const wakeAt = transition === 'opened' ? probeAt(health, now()) : wakes ? now() : undefined;
    const woken =
      wakeAt === undefined
        ? undefined
        : wake(endpoint, GATE_LANE, wakeAt, {
            set: { health, stateVersion },
            remove: GATE_WORK,
            if: [equals('stateVersion', endpoint.stateVersion)],
          });
    const written = woken?.write ?? healthWrite(endpoint, health, stateVersion);
    const published = recovered && {
      type: 'endpoint.recovered' as const,
      data: { ...described(endpoint), failingSince: iso(endpoint.health.failingSince) },
    };
    if (!(await writeAndPublish(endpoint, written, published, woken?.due))) return false;
    if (transition) log.info(`breaker ${transition}`, { endpointId: endpoint.id });
    return true;
  }

  /** Disables the endpoint. */
  async function giveUp(endpoint: EndpointRow, reason: string, health: EndpointHealth): Promise<boolean> {
    const shut = withdraw(endpoint, {
      set: {
        enabled: false,
        disabledReason: reason,
        gaveUp: true,
        health: disabled(health),
        stateVersion: endpoint.stateVersion + 1,
      },
      remove: GATE_WORK,
      if: [equals('stateVersion', endpoint.stateVersion)],
    });
    const published = {
      type: 'endpoint.disabled' as const,
      data: { ...described(endpoint), reason, failingSince: iso(health.failingSince) },
    };
    if (!(await writeAndPublish(endpoint, shut, published, undefined))) return false;
    log.info('endpoint disabled', { endpointId: endpoint.id, reason });
    count('EndpointDisabled');
    return true;
  }

  /**
   * Writes, in one transaction with the event for the other endpoints, if any. False when the
   * endpoint is no longer as it was read.
   */
  async function writeAndPublish(
    endpoint: EndpointRow,
    write: Write,
    draft: EventDraft | undefined,
    due: Due | undefined,
  ): Promise<boolean> {
    if (!draft) {
      if (!(await writeIf(table, write))) return false;
      await hints.send(due);
      return true;
    }
    try {
      const published = await optimistic(
        async () => {
          const outbox = await table.get<OutboxRow>(outboxKey({ kind: 'endpoint', endpointId: endpoint.id }));
          const at = now();
          const expiresAt = eventExpiry(at, retentionDays);
          const event = endpointEventWrites(endpoint.id, outbox, draft, at, { expiresAt });
          await table.transact([write, ...event.writes]);
          return event.due;
        },
        { unless: firstRefused },
      );
      await hints.send([published, due]);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  return { after, tooSlow };
}

const healthWrite = (
  endpoint: EndpointRow,
  health: EndpointHealth,
  stateVersion = endpoint.stateVersion,
): Write => ({
  update: { pk: endpoint.pk, sk: endpoint.sk },
  set: { health, stateVersion },
  if: [equals('stateVersion', endpoint.stateVersion)],
});

const described = ({ id, kind, description }: EndpointRow) => ({ endpointId: id, kind, description });
