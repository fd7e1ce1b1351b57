import type { Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import { REPLAY_DONE, replayDoneKey, replayKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

/** Rows over which a replay's count of what has ended is spread, so that workers do not collide on one. */
const SHARES = 16;

/** The write that counts the end of a delivery in its replay, if it is in one; never refused. */
export const countedInReplay = ({ replayId, inReplay, eventId }: DeliveryRow, expiresAt: number): Write[] =>
  replayId && inReplay
    ? [{ update: replayDoneKey(replayId, shareOf(eventId)), add: { done: 1 }, set: { expiresAt } }]
    : [];

/** How many of a replay's deliveries have ended. */
export async function doneInReplay(table: Pick<Table, 'query'>, replayId: string): Promise<number> {
  const { rows } = await table.query<RowKey & { done: number }>({
    partition: replayKey(replayId).pk,
    prefix: REPLAY_DONE,
    limit: SHARES,
    consistent: true,
  });
  return rows.reduce((sum, { done }) => sum + done, 0);
}

const shareOf = (eventId: string): number =>
  [...eventId].reduce((hash, char) => (hash * 31 + char.charCodeAt(0)) >>> 0, 0) % SHARES;
