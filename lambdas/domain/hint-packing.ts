import { type Hint, hintGroup, type Lane } from './work.ts';

/**
 * Rows that one of the sweep's messages names, at most: as many as a batch of ten such messages, or
 * of one in lanes whose work is long, is done with well before the function's time-out.
 */
const ROWS_PER_MESSAGE: Record<Lane, number> = {
  poll: 20,
  copy: 1,
  dispatch: 20,
  deliver: 10,
  'deliver-slow': 1,
};

/**
 * Packs due rows into messages, at least `fewest` of them where there are as many rows. A message
 * holds rows of one group. Groups take turns, and within a group the order is kept.
 */
export function packHints(
  lane: Lane,
  rows: readonly Hint[],
  fewest: number,
): { hints: Hint[]; group?: string }[] {
  const perMessage = Math.min(ROWS_PER_MESSAGE[lane], Math.max(1, Math.floor(rows.length / fewest)));
  const groups = Map.groupBy(rows, (row) => hintGroup(lane, row));
  const messages = [...groups].map(([group, of]) =>
    chunks(of, perMessage).map((hints) => (group === undefined ? { hints } : { hints, group })),
  );
  return takeTurns(messages);
}

/**
 * At most `most` of the rows, shared between the groups: one with few rows gets all of them in, and
 * what it leaves of its share goes to the others. Keeps the order within a group.
 */
export function shareHints(lane: Lane, rows: readonly Hint[], most: number): Hint[] {
  if (rows.length <= most) return [...rows];
  return takeTurns([...Map.groupBy(rows, (row) => hintGroup(lane, row)).values()]).slice(0, most);
}

/** First the first of each list, then the second of each, and so on. */
function takeTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, turn) =>
    lists.flatMap((list) => list.slice(turn, turn + 1)),
  ).flat();
}

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
