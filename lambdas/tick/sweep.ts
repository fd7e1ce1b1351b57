import type { Hints } from '../adapters/hints.ts';
import type { Table } from '../adapters/table.ts';
import { type Hint, LANES, type Lane } from '../domain/work.ts';

export type SweepDependencies = {
  readonly table: Pick<Table, 'due'>;
  readonly hints: Pick<Hints, 'sendPacked'>;
  /** Visible messages of a lane's queue: not delayed, not in flight. */
  readonly visibleMessages: (lane: Lane) => Promise<number>;
  readonly now: () => number;
};

/** What a sweep found in one lane. `silent`: the queue still holds messages, so its workers are merely behind. */
export type LaneSweep = { lane: Lane; overdue: number; hinted: number; silent: boolean; oldestMs: number };

/** A row is overdue when its own message should have woken it this long ago, ms. */
const GRACE_MS = 5_000;
/** Rows hinted per tick and lane. */
const MAX_ROWS = 2_000;
/** Messages that a queue's workers finish in a few seconds; more than this means that they are behind. */
const BUSY_MESSAGES = 100;

/**
 * One sweep: names the overdue rows of each lane anew, since their messages were lost or they were
 * due further away than a message can be delayed. Writes nothing.
 *
 * While a queue holds as many visible messages as there are overdue rows, or more than its workers
 * finish in a few seconds, the workers are behind and not the messages lost: the sweep stays silent,
 * so that a backlog breeds no messages. A sweep's own messages are as many as keep the next one
 * silent, until workers take them.
 */
export function createSweep({ table, hints, visibleMessages, now }: SweepDependencies) {
  return async function sweep(): Promise<LaneSweep[]> {
    return Promise.all(LANES.map(sweepLane));
  };

  async function sweepLane(lane: Lane): Promise<LaneSweep> {
    const overdue = await table.due(lane, now() - GRACE_MS, MAX_ROWS);
    const found = { lane, overdue: overdue.length, oldestMs: now() - (overdue[0]?.dueAt ?? now()) };
    if (overdue.length === 0) return { ...found, hinted: 0, silent: false };
    const visible = await visibleMessages(lane);
    if (visible >= Math.min(overdue.length, BUSY_MESSAGES)) return { ...found, hinted: 0, silent: true };
    await hints.sendPacked(lane, pack(overdue));
    return { ...found, hinted: overdue.length, silent: false };
  }
}

/** Packs rows into as many messages as keep the next sweep silent, in the order of their due times. */
function pack(rows: readonly Hint[]): { hints: Hint[] }[] {
  const count = Math.min(rows.length, BUSY_MESSAGES);
  const from = (message: number) => Math.floor((message * rows.length) / count);
  return Array.from({ length: count }, (_, i) => ({ hints: rows.slice(from(i), from(i + 1)) }));
}
