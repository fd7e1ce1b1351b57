import type { Table } from '../adapters/dynamodb/table.ts';
import { LANES, type Lane } from '../domain/work.ts';
import { packHints, shareHints } from '../engine/hint-packing.ts';
import type { Hints } from '../engine/hints.ts';

type SweepDependencies = {
  readonly table: Pick<Table, 'due'>;
  readonly hints: Pick<Hints, 'sendPacked'>;
  /** Visible messages of a lane's queue: not delayed, not in flight. */
  readonly visibleMessages: (lane: Lane) => Promise<number>;
  readonly now: () => number;
};

/**
 * What a sweep found in one lane: at least `overdue` rows, of which the oldest is late by `oldestMs`. When
 * `workersBehind`, the messages of these rows wait in the queue and its workers are behind, so the sweep hints only
 * the rows whose messages may be lost.
 */
export type LaneSweep = {
  lane: Lane;
  overdue: number;
  hinted: number;
  workersBehind: boolean;
  oldestMs: number;
};

/** A row is overdue when its own message should have woken it this long ago, ms. */
const GRACE_MS = 5_000;
/** Rows read at first; more only if these are not all. */
const FIRST_PAGE = 1_000;
/** Rows hinted per tick and lane. */
const MOST_HINTED = 20_000;
/** Rows read where endpoints share what is hinted, so that one endpoint's many rows do not hide another's few. */
const MOST_READ = 50_000;
/** A row that is overdue by this much may have lost its message, though its queue is busy; ms. */
const LOST_MS = 900_000;
/** Such rows hinted per tick and lane: so few that superfluous hints do not matter. */
const MOST_LOST = 100;
/** Messages that a queue's workers finish in a few seconds; more than this means that they are behind. */
const BUSY_MESSAGES = 50;

/**
 * One sweep: hints the overdue rows of each lane again. Their messages were lost, or they were due later
 * than a message can be delayed. Writes nothing. Throws what failed in one lane when all others are swept.
 *
 * While a queue holds messages for as many rows as are overdue, or for more than its workers finish
 * in a few seconds, the workers are behind and the messages are not lost. The sweep then sends nothing, so
 * that a backlog adds no messages. Messages of rows that became due just now do not count: a busy
 * queue would hide the rows whose messages were lost. For the same reason the sweep hints the oldest few
 * rows even then, once they are late by more than 15 minutes: under lasting overload a queue is never empty,
 * and since its messages are taken in order, the rows without a message become the oldest.
 */
export function createSweep({ table, hints, visibleMessages, now }: SweepDependencies) {
  return async function sweep(): Promise<LaneSweep[]> {
    const lanes = await Promise.allSettled(LANES.map(sweepLane));
    return lanes.map((lane) => {
      if (lane.status === 'rejected') throw lane.reason;
      return lane.value;
    });
  };

  async function sweepLane(lane: Lane): Promise<LaneSweep> {
    const at = now();
    const seen = await table.due(lane, at, FIRST_PAGE);
    let overdue = seen.filter((row) => row.dueAt <= at - GRACE_MS);
    const oldestMs = at - (overdue[0]?.dueAt ?? at);
    if (overdue.length === 0) return { lane, overdue: 0, hinted: 0, workersBehind: false, oldestMs };

    const justDue = seen.length - overdue.length;
    const waiting = (await visibleMessages(lane)) - justDue;
    const workersBehind = waiting >= Math.min(overdue.length, BUSY_MESSAGES);
    if (!workersBehind && seen.length === FIRST_PAGE) {
      overdue = await table.due(lane, at - GRACE_MS, mostRead(lane));
    }
    const rows = workersBehind
      ? shareHints(
          lane,
          overdue.filter((row) => row.dueAt <= at - LOST_MS),
          MOST_LOST,
        )
      : shareHints(lane, overdue, MOST_HINTED);
    if (rows.length > 0) await hints.sendPacked(lane, packHints(lane, rows));
    return { lane, overdue: overdue.length, hinted: rows.length, workersBehind, oldestMs };
  }
}

const mostRead = (lane: Lane): number =>
  lane === 'deliver' || lane === 'deliver-slow' ? MOST_READ : MOST_HINTED;
