/** One try at sending, as it is kept and shown. */
export type Attempt = {
  /** ms since epoch. */
  at: number;
  durationMs: number;
  statusCode?: number;
  /** The class of the failure when there was no answer (`timeout`, `dns`, `reset`, …). */
  error?: string;
  /** Why it failed, in words: a sentence with the remedy where there is one. */
  reason?: string;
  /** The first 1 KiB of the answer. */
  body?: string;
};

/** Attempts kept on a delivery's row, which counts them all. */
export const ATTEMPTS_KEPT = 12;

/** Any 2xx is a delivery, even when the rest of the answer is cut or malformed. */
export const isSuccess = ({ statusCode }: Pick<Attempt, 'statusCode'>): boolean =>
  statusCode !== undefined && statusCode >= 200 && statusCode < 300;

/** The endpoint answers that it is gone (Standard Webhooks), and is disabled. */
export const isGone = ({ statusCode }: Attempt): boolean => statusCode === 410;
