import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, equals, type Write } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { type Attempt, isGone, isSuccess } from '../domain/delivering/attempt.ts';
import type { EndpointRow, Target } from '../domain/delivering/endpoint.ts';
import { GATE_LANE, GATE_WORK, isAwake } from '../domain/delivering/gate/gate.ts';
import {
  afterOutcome,
  disabled,
  type EndpointHealth,
  type HealthChange,
  probeAt,
} from '../domain/delivering/gate/health.ts';
import { afterOutcomeAtOrigin, type OriginRow } from '../domain/delivering/gate/origin.ts';
import { standingOf } from '../domain/delivering/gate/standing.ts';
import type { EventDraft } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import { eventExpiry, finishedExpiry } from '../domain/retention.ts';
import { outboxKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import { wake, withdraw } from '../engine/wake.ts';
import { endpointEventWrites } from '../rows/outbox.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

export type RecordHealth = ReturnType<typeof createRecordHealth>;

/**
 * Keeps the health of endpoints and origins: opens and closes the breaker, gives endpoints up, and
 * informs the other endpoints. Each write demands the state that the attempt was made under: a change
 * since then says more than this attempt.
 */
export function createRecordHealth(dependencies: DeliverDependencies) {
  const { table, hints, now, retentionDays, log, count } = dependencies;

  /** Returns whether anything was written. */
  async function after(target: Target, attempt: Attempt): Promise<boolean> {
    const { endpoint } = target;
    const outcome = { succeeded: isSuccess(attempt), durationMs: attempt.durationMs };
    const atOrigin = await writeOrigin(target, outcome);
    if (isGone(attempt)) return giveUp(endpoint, 'it answered 410 Gone', endpoint.health);
    const change = afterOutcome(endpoint.health, outcome, now());
    if (!change) return atOrigin;
    if (change.transition === 'given up') {
      return giveUp(endpoint, 'it has failed for 5 days', { ...change.health, state: 'failing' });
    }
    return (await write(endpoint, change)) || atOrigin;
  }

  /** An attempt is taking long: the fast queue sends no more to this endpoint before it answers. */
  async function tooSlow(target: Target): Promise<boolean> {
    const { endpoint, origin } = target;
    const [own, atOrigin] = await Promise.all([
      writeIf(table, healthWrite(endpoint, { ...endpoint.health, slow: true })),
      origin && !origin.slow ? writeIf(table, originWrite(origin, { ...origin, slow: true })) : false,
    ]);
    return own || atOrigin;
  }

  async function writeOrigin(
    target: Target,
    outcome: { succeeded: boolean; durationMs: number },
  ): Promise<boolean> {
    const { origin } = target;
    if (!origin) return false;
    const standing = standingOf(target);
    const knownSlow = standing === 'slow' || standing === 'failing';
    const change = afterOutcomeAtOrigin(origin, outcome, knownSlow, now());
    return change !== undefined && writeIf(table, originWrite(origin, change));
  }

  function originWrite(
    { pk, sk, origin, version }: OriginRow,
    { lastDeliveredAt, slow }: Pick<OriginRow, 'lastDeliveredAt' | 'slow'>,
  ): Write {
    const expiresAt = finishedExpiry(now(), retentionDays);
    return {
      update: { pk, sk },
      set: { origin, lastDeliveredAt, slow, version: version + 1, expiresAt },
      remove: slow ? [] : ['slow'],
      if: [version === 0 ? absent('version') : equals('version', version)],
    };
  }

  async function write(endpoint: EndpointRow, change: HealthChange): Promise<boolean> {
    const { transition, health } = change;
    const wakes = transition === 'closed' || (health.state === 'healthy' && isAwake(endpoint));
    const opens = transition === 'opened';
    const stateVersion = endpoint.stateVersion + (transition === undefined ? 0 : 1);
    const asRead = [equals('stateVersion', endpoint.stateVersion)];
    const woken =
      wakes || opens
        ? wake(endpoint, GATE_LANE, opens ? probeAt(health, now()) : now(), {
            set: { health, stateVersion },
            remove: GATE_WORK,
            if: asRead,
          })
        : undefined;
    const written = woken?.write ?? healthWrite(endpoint, health);
    const published = change.recovered && {
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

const healthWrite = ({ pk, sk, stateVersion }: EndpointRow, health: EndpointHealth): Write => ({
  update: { pk, sk },
  set: { health },
  if: [equals('stateVersion', stateVersion)],
});

const described = ({ id, kind, description }: EndpointRow) => ({ endpointId: id, kind, description });

const iso = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();
