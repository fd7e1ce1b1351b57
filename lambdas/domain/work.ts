/**
 * The rule by which all work is done: rows are truth, messages are hints, one clock sweeps.
 *
 * A row that waits for work carries `lane` and `dueAt`. A worker claims it by a conditional write
 * that sets `owner` to a fresh nonce and `dueAt` to the end of a lease; every later write of that
 * work demands `owner` to be its own, so a worker that outlived its lease changes nothing.
 */
export type RowKey = { readonly pk: string; readonly sk: string };

export const LANES = ['poll', 'copy', 'dispatch', 'deliver', 'deliver-slow'] as const;
/** The kinds of work, each with a queue of its own. */
export type Lane = (typeof LANES)[number];

/** The environment variable that names a lane's queue to a function, such as `DELIVER_SLOW_QUEUE_URL`. */
export const queueUrlVariable = (lane: Lane): string =>
  `${lane.toUpperCase().replaceAll('-', '_')}_QUEUE_URL`;

/** The lane of rows that wait for a person; nothing wakes it. */
export const PARKED = 'parked';

/** What a row carries while there is something left to do with it. */
export type Work = {
  /** A {@link Lane}, or {@link PARKED}, which nobody wakes. */
  lane?: string;
  /** When the row is due, or a claimed row's lease ends; ms since epoch. */
  dueAt?: number;
  /** The nonce of the worker that claimed it. */
  owner?: string;
  /** Claims since the work last recorded progress. */
  claims?: number;
  /** The class of the error that the last of these claims ended with. */
  lastFailure?: string;
  /** The nonce of the last release. A worker that lost the answer to its release finds its own nonce here. */
  releasedBy?: string;
  parked?: { reason: string; since: number; lane: string };
};

/** The name of a due row, as a message carries it. The row itself is the truth. */
export type Hint = RowKey & { readonly dueAt: number };

/** A row that is due: what a writer knows after its commit, and what a hint is sent for. */
export type Due = Hint & { readonly lane: Lane };

/** That a row which is put with a lane and a due time is due. */
export const dueOf = ({ pk, sk, lane, dueAt }: RowKey & { lane: Lane; dueAt: number }): Due => ({
  pk,
  sk,
  lane,
  dueAt,
});

/** How long a claim lasts, ms; long work renews it. */
export const LEASE_MS = 90_000;

/** A row claimed this often without progress is parked by the next claim. */
export const MAX_CLAIMS = 8;

/** SQS delays a message by at most this long; what is due later is found by the sweep. */
export const MAX_DELAY_MS = 900_000;

/**
 * The delay to send a hint with, in whole seconds rounded up, so that the message is never early;
 * undefined when the row is due further away than SQS can delay.
 */
export function delaySeconds(dueAt: number, now: number): number | undefined {
  const wait = dueAt - now;
  if (wait > MAX_DELAY_MS) return undefined;
  return Math.max(0, Math.ceil(wait / 1000));
}

/** A due time never repeats a recent one of the row, or an old hint would claim the new work. */
export function freshDueAt(wanted: number, ...recent: (number | undefined)[]): number {
  let dueAt = Math.ceil(wanted);
  while (recent.includes(dueAt)) dueAt++;
  return dueAt;
}

/** Characters that SQS takes as the name of a group. */
const MOST_IN_GROUP = 128;

/**
 * The SQS message group of a row's hints: the endpoint of a delivery, so that SQS's fair queues let
 * one endpoint's backlog not delay the others'. Account-wide endpoints share a partition, and are each a group.
 */
export function hintGroup(lane: Lane, { pk, sk }: RowKey): string | undefined {
  if (lane !== 'deliver' && lane !== 'deliver-slow') return undefined;
  return (pk.includes('#') ? pk : `${pk}#${sk}`).slice(0, MOST_IN_GROUP);
}

/** When work that threw is tried again, by how often it was claimed: 5 s doubling up to 5 min. */
export function retryAt(claims: number, now: number): number {
  return now + Math.min(300_000, 5_000 * 2 ** Math.max(0, claims - 1));
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
