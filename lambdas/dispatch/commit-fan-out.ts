import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, type Write } from '../adapters/dynamodb/expression.ts';
import { firstRefused } from '../adapters/dynamodb/optimistic.ts';
import { chunks } from '../domain/chunks.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow } from '../domain/delivering/endpoint.ts';
import { isFetched } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { Cursors, FanOut } from '../domain/delivering/fan-out.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import { eventExpiry } from '../domain/retention.ts';
import { idsOf } from '../domain/row-ids.ts';
import type { Hint } from '../domain/work.ts';
import {
  againWrite,
  type Claim,
  type ClaimWrite,
  finishWrite,
  progressWrite,
} from '../engine/claim-writes.ts';
import type { HintMessage } from '../engine/hints.ts';
import type { WorkContext } from '../engine/stage.ts';
import { entryWrite } from '../rows/backlog.ts';
import type { DispatchDependencies } from './dispatch-dependencies.ts';

/** An endpoint's deliveries in one message, worked on in order. Slow ones take time, so a message has fewer of them. */
const DELIVERIES_PER_MESSAGE = { deliver: 10, 'deliver-slow': 3 };

/** Whether a fan-out goes on after a batch: at once, by another worker, or not, since nothing is left. */
type Next = 'go on' | 'later' | 'done';

/** A batch of a fan-out: its deliveries, each in its place as a row, and where the outbox stands after it. */
type FannedOut = {
  readonly batch: readonly FanOut[];
  readonly deliveries: readonly DeliveryRow[];
  readonly progress: Cursors & Pick<OutboxRow, 'chains'>;
  readonly next: Next;
};

/** A delivery, and its writes: its own first. */
type Planned = { readonly row: DeliveryRow; readonly writes: readonly Write[] };

/** Commits the batches of a fan-out, and hints the deliveries that are due by them. */
export function createCommitFanOut({ claims, hints, now, retentionDays, log }: DispatchDependencies) {
  /**
   * One transaction of deliveries and the cursors. It ends the claim when nothing is left, or when this
   * worker's time is up.
   */
  return async function commitFanOut(
    claim: Claim<OutboxRow>,
    { batch, deliveries, progress, next }: FannedOut,
    { hint }: WorkContext,
  ): Promise<void> {
    const outbox = outboxWrite(claim, progress, next);
    const rows = await writeNew(
      claim,
      outbox,
      deliveries.map((row, i) => ({ row, writes: writesOf(row, batch[i]?.target.endpoint) })),
    );
    log.info('dispatched', { ...idsOf(claim.row), deliveries: rows.map((row) => row.id) });
    for (const lane of ['deliver', 'deliver-slow'] as const) {
      const inLane = rows.filter((row) => row.lane === lane) as (DeliveryRow & Hint)[];
      if (inLane.length > 0) await hints.sendPacked(lane, byEndpoint(inLane, DELIVERIES_PER_MESSAGE[lane]));
    }
    await hint(outbox.due);
  };

  function outboxWrite(claim: Claim<OutboxRow>, set: Partial<OutboxRow>, next: Next): ClaimWrite {
    if (next === 'done') return finishWrite(claim, { set });
    return next === 'later' ? againWrite(claim, now(), { set }) : progressWrite(claim, now(), set);
  }

  /**
   * Writes the deliveries that are not there yet, and returns them. Some are when a callback was named
   * again after its deletion: the deliveries to the deleted one stay as they are.
   */
  async function writeNew(
    claim: Claim,
    outbox: ClaimWrite,
    planned: readonly Planned[],
  ): Promise<DeliveryRow[]> {
    const deliveries = planned.flatMap(({ writes }) => writes);
    try {
      await claims.commit(claim, outbox, deliveries);
      return planned.map(({ row }) => row);
    } catch (error) {
      if (!(error instanceof ConditionFailed) || firstRefused(error)) throw error;
      const there = error.failed.map((index) => deliveries[index - 1]);
      return writeNew(
        claim,
        outbox,
        planned.filter(({ writes: [put] }) => !there.includes(put)),
      );
    }
  }

  /**
   * A delivery, and its place in the backlog if it begins there. One to a pull endpoint expires with its event, since
   * perhaps no client fetches it.
   */
  function writesOf(row: DeliveryRow, endpoint: EndpointRow | undefined): Write[] {
    const expiresAt = endpoint && isFetched(endpoint) ? eventExpiry(now(), retentionDays) : undefined;
    const put: Write = { put: { ...row, expiresAt }, if: [absent('pk')] };
    return row.backlogKey ? [put, entryWrite(row.backlogKey, { ...row, expiresAt })] : [put];
  }
}

/** Messages of one endpoint's rows each, in order. */
function byEndpoint(due: readonly Hint[], most: number): HintMessage[] {
  return [...Map.groupBy(due, ({ pk }) => pk)].flatMap(([group, rows]) =>
    chunks(rows, most).map((hints) => ({ group, hints })),
  );
}
