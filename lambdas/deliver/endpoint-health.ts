import { equals } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import { ConditionFailed, type Table, type Write } from '../adapters/dynamodb/table.ts';
import { endpointEventWrites } from '../adapters/rows/outbox.ts';
import type { Target } from '../domain/delivering/admission.ts';
import { type Attempt, isGone } from '../domain/delivering/attempt.ts';
import { type GateRow, isAwake } from '../domain/delivering/delivery-gate.ts';
import type { EndpointRow } from '../domain/delivering/endpoint.ts';
import {
  afterAttemptAt,
  disabled,
  type EndpointHealth,
  type HealthChange,
  probeAt,
} from '../domain/delivering/health.ts';
import type { EventDraft } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import { eventExpiry } from '../domain/retention.ts';
import { outboxKey } from '../domain/rows.ts';
import { freshDueAt, type Hint } from '../domain/work.ts';
import type { Hints } from '../engine/hints.ts';

export type EndpointHealthDependencies = {
  readonly table: Table;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly retentionDays: number;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
  /** Counts an endpoint that was given up. */
  readonly onDisabled: () => void;
};

export type RecordHealth = ReturnType<typeof createRecordHealth>;

/**
 * Keeps the health of endpoints and origins: opens and closes the breaker, gives endpoints up, and
 * tells the others. Each write demands the state that the attempt was made under; when somebody
 * changed it meanwhile, that says more than this attempt.
 */
export function createRecordHealth(dependencies: EndpointHealthDependencies) {
  const { table, hints, now, retentionDays, log, onDisabled } = dependencies;

  /** Returns whether anything was written. */
  async function after(target: Target, attempt: Attempt): Promise<boolean> {
    if (isGone(attempt)) return giveUp(target, 'it answered 410 Gone', target.gate.health);
    const change = afterAttemptAt(target.gate.health, attempt, now());
    if (!change) return false;
    if (change.news === 'given up') {
      return giveUp(target, 'it has failed for 5 days', { ...change.health, state: 'failing' });
    }
    return write(target, change);
  }

  /** An attempt is taking long: the fast queue sends no more to it before it answers. */
  async function tooSlow({ gate }: Target): Promise<boolean> {
    return settle([healthWrite(gate, { ...gate.health, slow: true })]);
  }

  async function write({ endpoint, gate }: Target, change: HealthChange): Promise<boolean> {
    const wakes = change.news === 'closed' || (change.health.state === 'healthy' && isAwake(gate));
    const opens = change.news === 'opened';
    const dueAt = freshDueAt(opens ? probeAt(change.health, now()) : now(), gate.dueAt);
    const written = healthWrite(gate, change.health, {
      bump: change.news !== undefined,
      ...(wakes || opens ? { dueAt } : {}),
    });
    const { origin, health } = gate;
    const told = change.recovered && {
      type: 'endpoint.recovered' as const,
      data: { ...described(endpoint, origin), failingSince: iso(health.failingSince) },
    };
    const due = wakes || opens ? [{ pk: gate.pk, sk: gate.sk, dueAt }] : [];
    if (!(await settleAndTell(endpoint, [written], told, due))) return false;
    if (change.news) log.info(`breaker ${change.news}`, { endpointId: endpoint.id, origin });
    return true;
  }

  /** Disables the endpoint; an origin that fails goes on being probed for its other callbacks. */
  async function giveUp(
    { endpoint, gate }: Target,
    reason: string,
    health: EndpointHealth,
  ): Promise<boolean> {
    const shut: Write = {
      update: endpoint,
      set: {
        enabled: false,
        disabledReason: reason,
        gaveUp: true,
        health: disabled(endpoint === gate ? health : endpoint.health),
        stateVersion: endpoint.stateVersion + 1,
      },
      remove: ['lane', 'dueAt', 'owner', 'claims', 'parked', 'quietSince'],
      if: [equals('stateVersion', endpoint.stateVersion)],
    };
    const told = {
      type: 'endpoint.disabled' as const,
      data: { ...described(endpoint, gate.origin), reason, failingSince: iso(health.failingSince) },
    };
    if (!(await settleAndTell(endpoint, [shut], told, []))) return false;
    log.info('endpoint disabled', { endpointId: endpoint.id, reason });
    onDisabled();
    return true;
  }

  /** Writes, in one transaction with the event that tells the other endpoints, if any. */
  async function settleAndTell(
    endpoint: EndpointRow,
    writes: readonly Write[],
    draft: EventDraft | undefined,
    due: readonly Hint[],
  ): Promise<boolean> {
    const told = draft
      ? await optimistic(async () => {
          const outbox = await table.get<OutboxRow>(outboxKey({ kind: 'endpoint', endpointId: endpoint.id }));
          const at = now();
          const expiresAt = eventExpiry(at, retentionDays);
          const event = endpointEventWrites(endpoint.id, outbox, draft, at, { expiresAt });
          return (await settle([...writes, ...event.writes])) && event.due;
        })
      : await settle(writes);
    if (!told) return false;
    if (told !== true) await hints.send('dispatch', [told]);
    if (due.length > 0) await hints.send('deliver-slow', due);
    return true;
  }

  /** False when the first write found another state than it demands. */
  async function settle(writes: readonly Write[]): Promise<boolean> {
    try {
      const [first] = writes;
      if (first && writes.length === 1) await table.write(first);
      else await table.transact(writes);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed && error.failed.includes(0)) return false;
      throw error;
    }
  }

  return { after, tooSlow };
}

function healthWrite(
  gate: GateRow,
  health: EndpointHealth,
  { bump = false, dueAt }: { bump?: boolean; dueAt?: number } = {},
): Write {
  const { pk, sk, origin, stateVersion } = gate;
  // An origin's row is made when it is first needed.
  const unseen = origin !== undefined && stateVersion === 0;
  return {
    update: { pk, sk },
    set: {
      health,
      origin,
      ...(dueAt === undefined ? {} : { lane: 'deliver-slow', dueAt }),
      ...(bump || unseen ? { stateVersion: stateVersion + 1 } : {}),
    },
    remove: dueAt === undefined ? [] : ['owner', 'claims', 'parked', 'quietSince'],
    if: unseen ? [] : [equals('stateVersion', stateVersion)],
  };
}

const described = ({ id, kind, description }: EndpointRow, origin: string | undefined) => ({
  endpointId: id,
  kind,
  description,
  ...(origin === undefined ? {} : { origin }),
});

const iso = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();
