import { chunks } from '../domain/chunks.ts';
import type { Hint, Lane } from '../domain/work.ts';
import { hintGroup } from './hint-message.ts';

/** Rows that one message may name: few enough that a batch of messages is done well before the function's time-out. */
export const ROWS_PER_MESSAGE: Record<Lane, number> = {
  poll: 10,
  copy: 1,
  dispatch: 10,
  deliver: 10,
  'deliver-slow': 1,
};

/** Up to this many rows get one message each: the length of the queue then shows how much is left to do. */
const SINGLE_MESSAGES = 2_000;

/**
 * Packs due rows into messages. A message holds rows of one group; the groups are interleaved, and
 * within a group the order is kept.
 */
export function packHints(lane: Lane, rows: readonly Hint[]): { hints: Hint[]; group?: string }[] {
  const size = Math.min(ROWS_PER_MESSAGE[lane], Math.ceil(rows.length / SINGLE_MESSAGES));
  const messages = groupsOf(lane, rows).map(([group, members]) =>
    chunks(members, size).map((hints) => (group === undefined ? { hints } : { hints, group })),
  );
  return roundRobin(messages);
}

/**
 * At most `most` of the rows, shared between the groups. A group with few rows gets all of them in. The others
 * share the rest. Keeps the order within a group.
 */
export function shareHints(lane: Lane, rows: readonly Hint[], most: number): Hint[] {
  if (rows.length <= most) return [...rows];
  return roundRobin(groupsOf(lane, rows).map(([, members]) => members)).slice(0, most);
}

const groupsOf = (lane: Lane, rows: readonly Hint[]): [string | undefined, Hint[]][] => [
  ...Map.groupBy(rows, (row) => hintGroup(lane, row)),
];

/** First the first of each list, then the second of each, and so on. */
function roundRobin<T>(lists: readonly (readonly T[])[]): T[] {
  const taken: T[] = [];
  const longest = Math.max(0, ...lists.map((list) => list.length));
  for (let i = 0; i < longest; i++) {
    for (const list of lists) if (i < list.length) taken.push(list[i] as T);
  }
  return taken;
}
