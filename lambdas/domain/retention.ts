const DAY_MS = 86_400_000;
const DAY_S = 86_400;

/** How long a request can stay unfinished after an event: polled for up to 12 days (`pendingDays`), then copied. */
const UNFINISHED_DAYS = 16;

/**
 * When rows may be deleted, in s since epoch (DynamoDB's TTL).
 *
 * A request's own row lives `retentionDays` from its end. Its events are final when written, which
 * may be long before that end, so they get the longest unfinished time on top and never go first.
 */
export const finishedExpiry = (now: number, retentionDays: number): number =>
  Math.ceil((now + retentionDays * DAY_MS) / 1000);
/** When a request that has ended may be deleted: at the end of a UTC day, for the counts of requests. */
export const requestExpiry = (now: number, retentionDays: number): number =>
  Math.ceil(finishedExpiry(now, retentionDays) / DAY_S) * DAY_S;
export const eventExpiry = (now: number, retentionDays: number): number =>
  finishedExpiry(now, retentionDays + UNFINISHED_DAYS);

/** When what an idempotency key stands for may be deleted: the contract promises 24 h. */
export const idempotencyExpiry = (now: number): number => Math.ceil(now / 1000) + DAY_S;

/** How much longer than its events a source's outbox is kept. DynamoDB deletes expired rows late, and in no order. */
const OUTBOX_DAYS = 30;
/** How much longer than it must a callback's endpoint is kept, so that it is renewed at most once a day. */
const CALLBACK_DAYS = 2;

/**
 * When a source's outbox may be deleted: long after its last event, so a missing outbox means that no events are
 * left and numbering may restart at 1.
 *
 * @param lastEvent when the last of its events may be deleted, s since epoch
 */
export const outboxExpiry = (lastEvent: number): number => lastEvent + OUTBOX_DAYS * DAY_S;

/**
 * When the endpoint behind a callback URL may be deleted, s since epoch: after all that a request registered
 * now may send it. Undefined when `expiresAt` is late enough.
 */
export function callbackExpiry(
  now: number,
  retentionDays: number,
  expiresAt: number | undefined,
): number | undefined {
  const needed = eventExpiry(now, retentionDays);
  return expiresAt !== undefined && expiresAt > needed + DAY_S ? undefined : needed + CALLBACK_DAYS * DAY_S;
}

/** Whether a row is past its expiry: DynamoDB deletes late, so readers check it. */
export const isExpired = (row: { expiresAt?: number }, now: number): boolean =>
  row.expiresAt !== undefined && row.expiresAt * 1000 <= now;
