/**
 * The rule for all work: rows are truth, messages are hints, one clock sweeps.
 *
 * A row that waits for work carries `lane` and `dueAt`. A worker claims it by a conditional write
 * that sets `owner` to a fresh nonce and `dueAt` to the end of a lease; every later write of that
 * work demands `owner` to be its own, so a worker that outlived its lease changes nothing.
 */
export type RowKey = { readonly pk: string; readonly sk: string };

export const LANES = ['poll', 'copy', 'dispatch', 'deliver', 'deliver-slow'] as const;
/** The kinds of work, each with its own queue. */
export type Lane = (typeof LANES)[number];

/** The environment variable that names a lane's queue to a function, such as `DELIVER_SLOW_QUEUE_URL`. */
export const queueUrlVariable = (lane: Lane): string =>
  `${lane.toUpperCase().replaceAll('-', '_')}_QUEUE_URL`;

/** The lane of rows that wait for a person; nothing wakes it. */
export const PARKED = 'parked';

/** What a row carries while there is something left to do with it. */
export type Work = {
  /** A {@link Lane}, or {@link PARKED}, which the tick does not wake. */
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
