const DAY_MS = 86_400_000;

/** The longest that a request can stay unfinished after an event of it: polled 8 days, copied and delivered. */
const UNFINISHED_DAYS = 16;

/**
 * When rows may be deleted, in s since epoch (DynamoDB's TTL).
 *
 * A request's own row lives `retentionDays` from its end. Its events are final when written, which
 * may be long before that end, so they get the longest unfinished time on top and never go first.
 */
export const finishedExpiry = (now: number, retentionDays: number): number =>
  Math.ceil((now + retentionDays * DAY_MS) / 1000);
export const eventExpiry = (now: number, retentionDays: number): number =>
  finishedExpiry(now, retentionDays + UNFINISHED_DAYS);

/** Whether a row is past its expiry: DynamoDB deletes late, so readers look for themselves. */
export const isExpired = (row: { expiresAt?: number }, now: number): boolean =>
  row.expiresAt !== undefined && row.expiresAt * 1000 <= now;
