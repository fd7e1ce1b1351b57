import { type Hint, LANES, type Lane, type RowKey } from '../domain/work.ts';

/** SQS delays a message by at most this long; what is due later is found by the sweep. */
const MAX_DELAY_MS = 900_000;

/**
 * The delay to send a hint with, in whole seconds rounded up, so that the message is never early;
 * undefined when the row is due further away than SQS can delay.
 */
export function delaySeconds(dueAt: number, now: number): number | undefined {
  const wait = dueAt - now;
  if (wait > MAX_DELAY_MS) return undefined;
  return Math.max(0, Math.ceil(wait / 1000));
}

/** Characters that SQS takes as the name of a group. */
const MOST_IN_GROUP = 128;

/**
 * The SQS message group of a row's hints: the endpoint of a delivery, so that with SQS's fair queues
 * one endpoint's backlog does not delay the others'. Account-wide endpoints share a partition, but each is a group.
 */
export function hintGroup(lane: Lane, { pk, sk }: RowKey): string | undefined {
  if (lane !== 'deliver' && lane !== 'deliver-slow') return undefined;
  return (pk.includes('#') ? pk : `${pk}#${sk}`).slice(0, MOST_IN_GROUP);
}

/** The message that names due rows: `{"lane", "rows": [[pk, sk, dueAt], …]}`. */
export function encodeHints(lane: Lane, hints: readonly Hint[]): string {
  return JSON.stringify({ lane, rows: hints.map(({ pk, sk, dueAt }) => [pk, sk, dueAt]) });
}

/** The reverse of {@link encodeHints}; undefined for a message that is not one of ours. */
export function decodeHints(body: string): { lane: Lane; hints: Hint[] } | undefined {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof message !== 'object' || message === null) return undefined;
  const { lane, rows } = message as { lane?: unknown; rows?: unknown };
  if (!LANES.includes(lane as Lane) || !Array.isArray(rows)) return undefined;
  const hints: Hint[] = [];
  for (const row of rows) {
    if (!Array.isArray(row)) return undefined;
    const [pk, sk, dueAt] = row;
    if (typeof pk !== 'string' || typeof sk !== 'string' || typeof dueAt !== 'number') return undefined;
    hints.push({ pk, sk, dueAt });
  }
  return { lane: lane as Lane, hints };
}
