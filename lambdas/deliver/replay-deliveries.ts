import { equals } from '../adapters/dynamodb/expression.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow, Target } from '../domain/delivering/endpoint.ts';
import { isFetched } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { backlogOf } from '../domain/delivering/gate/admission.ts';
import { isAwake } from '../domain/delivering/gate/gate.ts';
import { isReplayed, type ReplayRow } from '../domain/delivering/replay.ts';
import { firstEventId } from '../domain/ids.ts';
import { eventExpiry, isExpired } from '../domain/retention.ts';
import { idsOf } from '../domain/row-ids.ts';
import { deliveryPartition } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { inParallel } from '../engine/in-parallel.ts';
import type { WorkContext } from '../engine/stage.ts';
import { withdraw } from '../engine/wake.ts';
import { entryWrite, wakeGate } from '../rows/backlog.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

const PAGE = 100;
const AT_ONCE = 10;
/** When a gate that was asleep checks what was put into its backlog, ms. */
const FIRST_CHECK_MS = 1_000;

/**
 * Carries out a replay: puts the deliveries of its range into the endpoint's backlog, from which they
 * go out within its rate limit. Each page ends with the cursor and the counts. One that is repeated
 * after a crash recognizes its own deliveries, so nothing is counted or sent twice.
 */
export function createReplayDeliveries(dependencies: DeliverDependencies) {
  const { table, claims, targets, now, retentionDays, log } = dependencies;

  return async function replayDeliveries(
    claim: Claim<ReplayRow>,
    { deadline, hint }: WorkContext,
  ): Promise<void> {
    let { row } = claim;
    for (;;) {
      const target = await targets.of(row.endpointId);
      if (!target) {
        await claims.finish(claim, { set: { queuedAll: true } });
        return;
      }
      await hint(await wakeIfAsleep(target));
      const page = await table.query<DeliveryRow>({
        partition: deliveryPartition(row.endpointId),
        after: row.cursor ?? firstEventId(row.since),
        before: firstEventId(row.until),
        limit: PAGE,
        consistent: true,
      });
      const matched = page.rows.filter(
        (each) => each.replayId === row.id || (isReplayed(row, each) && !isExpired(each, now())),
      );
      const queued = await inParallel(matched, AT_ONCE, (each) => enqueue(each, row.id, target.endpoint));
      const progress = {
        cursor: page.rows.at(-1)?.sk ?? row.cursor,
        matched: row.matched + matched.length,
        queued: row.queued + queued.filter((each) => each).length,
      };
      row = { ...row, ...progress };
      if (!page.more || page.rows.length === 0) {
        await claims.finish(claim, { set: { ...progress, queuedAll: true } });
        log.info('replay queued', { ...idsOf(row), ...progress });
        return;
      }
      if (now() > deadline) return hint(await claims.again(claim, now(), { set: progress }));
      await claims.progress(claim, progress);
    }
  };

  /** The backlog may be entered once its gate is awake (see domain/delivering/gate/gate.ts). */
  async function wakeIfAsleep(target: Target): Promise<Due | undefined> {
    const { endpoint } = target;
    if (isFetched(endpoint) || isAwake(endpoint)) return undefined;
    const { write, due } = wakeGate(endpoint, now() + FIRST_CHECK_MS);
    targets.forget(target);
    return (await writeIf(table, write)) ? due : undefined;
  }

  /** Into the backlog with a new schedule and the same id; false when it has changed since it was read. */
  async function enqueue(row: DeliveryRow, replayId: string, endpoint: EndpointRow): Promise<boolean> {
    if (row.replayId === replayId) return true;
    const backlogKey = backlogOf(endpoint, { inReplay: true });
    const again = { state: 'pending', failures: 0, endpointCreatedAt: endpoint.createdAt } as const;
    const expiresAt = isFetched(endpoint) ? eventExpiry(now(), retentionDays) : undefined;
    return writeIf(
      table,
      withdraw(row, {
        set: { ...again, backlogKey, replayId, inReplay: true, expiresAt },
        remove: expiresAt === undefined ? ['expiresAt'] : [],
        if: [equals('state', row.state), equals('attemptCount', row.attemptCount)],
      }),
      entryWrite(backlogKey, { ...row, expiresAt }),
    );
  }
}
