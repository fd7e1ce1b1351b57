import { equals } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table } from '../adapters/dynamodb/table.ts';
import { entryWrite, wakeWrite } from '../adapters/rows/backlog.ts';
import type { Targets } from '../adapters/rows/targets.ts';
import { backlogOf, heldBy, pacer, type Target } from '../domain/delivering/admission.ts';
import { type DeliveryRow, type DeliveryState, isFinal } from '../domain/delivering/delivery.ts';
import { type GateRow, isAwake } from '../domain/delivering/delivery-gate.ts';
import { afterAttempt } from '../domain/delivering/delivery-outcome.ts';
import { isProven, mostAtOnce, SLOW_MS } from '../domain/delivering/health.ts';
import { finishedExpiry } from '../domain/retention.ts';
import { deliveryKey } from '../domain/rows.ts';
import { LEASE_MS } from '../domain/work.ts';
import { type Claim, dueAfter, releaseOnce, releaseWrite } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';
import type { AttemptResult } from './attempt.ts';
import type { RecordHealth } from './endpoint-health.ts';
import { finishDelivery } from './finish-delivery.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { Send } from './send.ts';

export type DeliverDependencies = {
  readonly table: Table;
  readonly targets: Targets;
  readonly limiter: RateLimiter;
  readonly send: Send;
  readonly recordHealth: RecordHealth;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly random: () => number;
  /** Rejects when the signal ends it. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly retentionDays: number;
  readonly log: DeliverLog;
  /** Counts a delivery that the endpoint accepted. */
  readonly onDelivered: () => void;
  /** Counts a delivery that failed after the whole schedule. */
  readonly onFailed: () => void;
};

export type DeliverLog = Record<'info' | 'error', (message: string, extra: Record<string, unknown>) => void>;

/**
 * How long an attempt waits for its turn, ms: in the fast queue hardly, for others are behind it; in the
 * other for as much as the message before it may have come later than its own.
 */
const MAX_WAIT_MS = { deliver: 50, 'deliver-slow': 2_000 };
/** After how long a gate looks who may go next, ms. */
const CROWDED_MS = 1_000;

/**
 * One attempt at one claimed delivery, if it is its turn, and what it leaves: delivered, due again,
 * waiting in a backlog, failed or canceled.
 */
export function createDeliverEvent(dependencies: DeliverDependencies) {
  const { table, targets, limiter, send, recordHealth, hints } = dependencies;
  const { now, random, sleep, retentionDays, log, onDelivered, onFailed } = dependencies;

  return async function deliverEvent(claim: Claim<DeliveryRow>): Promise<void> {
    const { row } = claim;
    const target = await targets.of(row.endpointId);
    if (!target) return finish(claim, { state: 'canceled' });
    const shut = heldBy(row, target);
    if (shut) return wait(claim, shut, 'held');
    if (target.endpoint.kind === 'pull') return wait(claim, target.endpoint, 'pending');
    if (claim.lane === 'deliver' && !isProven(target.gate.health)) return again(claim, now());
    if (await waitsForPredecessor(claim)) return;

    const paced = pacer(target);
    const turn = await acquireSlot(claim, target, paced);
    if (turn === undefined) return;
    let result: AttemptResult;
    try {
      if (turn > now()) await sleep(turn - now());
      result = await watched(claim.lane, target, send(target.endpoint, row));
    } finally {
      if (mostAtOnce(target.gate.health) !== undefined) {
        await aside('slot not released', limiter.release(paced, claim.nonce));
      }
    }
    await record(claim, target, result);
  };

  /** Work beside an attempt, which what it comes to does not depend on: when it fails, that is logged. */
  async function aside<T>(message: string, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      log.error(message, { error });
      return undefined;
    }
  }

  /** Notices while an attempt lasts that it takes long, so that the fast queue sends no more to it. */
  async function watched(
    lane: string,
    target: Target,
    attempt: Promise<AttemptResult>,
  ): Promise<AttemptResult> {
    if (lane !== 'deliver') return attempt;
    const answered = new AbortController();
    const watch = sleep(SLOW_MS, answered.signal).then(
      () => aside('slowness not recorded', recordHealth.tooSlow(target)),
      () => false,
    );
    try {
      return await attempt;
    } finally {
      answered.abort();
      if (await watch) targets.forget(target.endpoint.id);
    }
  }

  async function record(
    claim: Claim<DeliveryRow>,
    target: Target,
    { attempt, retryAfterMs }: AttemptResult,
  ): Promise<void> {
    const { row } = claim;
    const { set, dueAt } = afterAttempt(row, attempt, now(), random(), retryAfterMs);
    if (set.state !== undefined) await finish(claim, { ...set, state: set.state });
    else if (dueAt !== undefined) await again(claim, dueAt, set);
    if (set.state === 'delivered') onDelivered();
    if (set.state === 'failed') onFailed();
    if (await recordHealth.after(target, attempt)) targets.forget(row.endpointId);
    log.info('attempted', {
      deliveryId: row.id,
      eventId: row.eventId,
      statusCode: attempt.statusCode,
      error: attempt.error,
      durationMs: attempt.durationMs,
      state: set.state ?? 'pending',
      nextAttemptAt: set.state === undefined ? dueAt : undefined,
    });
  }

  async function finish(
    claim: Claim<DeliveryRow>,
    set: Partial<DeliveryRow> & { state: DeliveryState },
  ): Promise<void> {
    const expiresAt = finishedExpiry(now(), retentionDays);
    const next = await finishDelivery(table, claim, set, expiresAt, now());
    if (next) await hints.send('deliver-slow', [next]);
  }

  async function again(claim: Claim<DeliveryRow>, at: number, set: Partial<DeliveryRow> = {}): Promise<void> {
    const lane = 'deliver-slow';
    const attempted = set.attempts ? ['bypassesBreaker'] : [];
    await releaseOnce(table, claim, { lane, dueAt: at, set, remove: attempted });
    const { pk, sk } = claim.row;
    await hints.send(lane, [{ pk, sk, dueAt: dueAfter(claim, at) }]);
  }

  /** Into the backlog of a gate that is shut or awake (see domain/gate.ts). */
  async function wait(claim: Claim<DeliveryRow>, gate: GateRow, state: 'held' | 'pending'): Promise<void> {
    const backlogKey = backlogOf(gate, claim.row);
    await table.transact([
      releaseWrite(claim, { set: { state, backlogKey } }),
      entryWrite(backlogKey, { ...claim.row, expiresAt: undefined }),
    ]);
    log.info('waits', { deliveryId: claim.row.id, state });
  }

  /** When it may go out; undefined when others are before it, and it waits in the backlog. */
  async function acquireSlot(
    claim: Claim<DeliveryRow>,
    { endpoint, gate }: Target,
    paced: GateRow,
  ): Promise<number | undefined> {
    const atOnce = mostAtOnce(gate.health);
    const perSecond = endpoint.rateLimit;
    if (atOnce === undefined && perSecond === undefined) return now();
    const turn = await limiter.acquire(paced, {
      nonce: claim.nonce,
      now: now(),
      until: now() + LEASE_MS,
      atOnce,
      perSecond,
      maxWaitMs: claim.lane === 'deliver' ? MAX_WAIT_MS.deliver : MAX_WAIT_MS['deliver-slow'],
    });
    if (turn) return turn.sendAt;
    if (!isAwake(paced)) {
      const { due, ...write } = wakeWrite(paced, now() + CROWDED_MS);
      await table.write(write);
      await hints.send('deliver-slow', [due]);
      targets.forget(endpoint.id);
    }
    await wait(claim, paced, 'pending');
    return undefined;
  }

  /**
   * Whether the delivery before it, to an ordered endpoint, is not final yet: it then waits without a
   * due time, named there, and the end of that one makes it due.
   */
  async function waitsForPredecessor(claim: Claim<DeliveryRow>): Promise<boolean> {
    const { predecessor, endpointId, eventId, attemptCount } = claim.row;
    if (predecessor === undefined || attemptCount > 0) return false;
    for (;;) {
      const before = await table.get<DeliveryRow>(deliveryKey(endpointId, predecessor));
      if (!before || isFinal(before)) return false;
      try {
        await table.transact([
          releaseWrite(claim, {}),
          { update: before, set: { successor: eventId }, if: [equals('state', before.state)] },
        ]);
        return true;
      } catch (error) {
        if (!(error instanceof ConditionFailed) || error.failed.includes(0)) throw error;
      }
    }
  }
}
