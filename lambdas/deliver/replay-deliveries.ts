import { equals } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table } from '../adapters/dynamodb/table.ts';
import { entryWrite, wakeWrite } from '../adapters/rows/backlog.ts';
import type { Targets } from '../adapters/rows/targets.ts';
import { backlogOf, pacer, type Target } from '../domain/delivering/admission.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import { type GateRow, isAwake } from '../domain/delivering/delivery-gate.ts';
import { firstEventId, isMeant, type ReplayRow } from '../domain/delivering/replay.ts';
import { isExpired } from '../domain/retention.ts';
import { deliveryPartition } from '../domain/rows.ts';
import { LEASE_MS } from '../domain/work.ts';
import { type Claim, dueAfter, owned, releaseOnce } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';
import { inParallel } from '../engine/in-parallel.ts';
import type { WorkContext } from '../engine/stage.ts';

export type ReplayDependencies = {
  readonly table: Table;
  readonly targets: Targets;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

const PAGE = 100;
const AT_ONCE = 10;

/**
 * Works a replay off: puts the deliveries that are meant into the endpoint's backlog, from which they
 * go out within its rate limit. Each page ends with the cursor and the counts; one that is repeated
 * after a crash recognises its own deliveries, so nothing is counted or sent twice.
 */
export function createReplayDeliveries({ table, targets, hints, now, log }: ReplayDependencies) {
  return async function replayDeliveries(claim: Claim<ReplayRow>, { deadline }: WorkContext): Promise<void> {
    let { row } = claim;
    for (;;) {
      const target = await targets.of(row.endpointId);
      if (!target) return releaseOnce(table, claim, { set: { queuedAll: true } });
      await wake(target);

      const page = await table.query<DeliveryRow>({
        partition: deliveryPartition(row.endpointId),
        after: row.cursor ?? firstEventId(row.since),
        before: firstEventId(row.until),
        limit: PAGE,
        consistent: true,
      });
      const meant = page.rows.filter(
        (each) => each.replayId === row.id || (isMeant(row, each) && !isExpired(each, now())),
      );
      const queued = await inParallel(meant, AT_ONCE, (each) => enqueue(each, row.id, pacer(target)));
      const cursor = page.rows.at(-1)?.sk ?? row.cursor;
      const counts = {
        matched: row.matched + meant.length,
        queued: row.queued + queued.filter((each) => each).length,
      };
      row = { ...row, ...counts, cursor };
      if (!page.more || page.rows.length === 0) {
        await releaseOnce(table, claim, { set: { ...counts, cursor, queuedAll: true } });
        log.info('replay queued', { replayId: row.id, ...counts });
        return;
      }
      if (now() > deadline) {
        await releaseOnce(table, claim, { dueAt: now(), set: { ...counts, cursor } });
        const { pk, sk } = row;
        await hints.send('deliver-slow', [{ pk, sk, dueAt: dueAfter(claim, now()) }]);
        return;
      }
      claim.leaseEnd = dueAfter(claim, now() + LEASE_MS);
      await table.write({
        update: row,
        set: { ...counts, cursor, dueAt: claim.leaseEnd },
        remove: ['claims'],
        if: [owned(claim)],
      });
    }
  };

  /** The backlog may be entered once its gate is awake (see domain/gate.ts). */
  async function wake(target: Target): Promise<void> {
    const gate = pacer(target);
    if (target.endpoint.kind === 'pull' || isAwake(gate)) return;
    const { due, ...write } = wakeWrite(gate, now() + 1_000);
    await table.write(write);
    await hints.send('deliver-slow', [due]);
    targets.forget(target.endpoint.id);
  }

  /** Into the backlog with a new schedule and the same id; false when it has changed meanwhile. */
  async function enqueue(row: DeliveryRow, replayId: string, gate: GateRow): Promise<boolean> {
    if (row.replayId === replayId) return true;
    const backlogKey = backlogOf(gate, { inReplay: true });
    try {
      await table.transact([
        {
          update: row,
          set: { state: 'pending', failures: 0, backlogKey, replayId, inReplay: true },
          remove: ['lane', 'dueAt', 'owner', 'claims', 'parked', 'expiresAt'],
          if: [equals('state', row.state), equals('attemptCount', row.attemptCount)],
        },
        entryWrite(backlogKey, { ...row, expiresAt: undefined }),
      ]);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }
}
