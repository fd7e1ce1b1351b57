import { backoff } from '../domain/backoff.ts';

const RETRIES = { firstMs: 5_000, longestMs: 300_000 };

/** A row claimed this often without progress is parked by the next claim. */
export const MAX_CLAIMS = 8;

/** A due time never repeats a recent one of the row, or an old hint would claim the new work. */
export function freshDueAt(wanted: number, ...recent: (number | undefined)[]): number {
  let dueAt = Math.ceil(wanted);
  while (recent.includes(dueAt)) dueAt++;
  return dueAt;
}

/** When work that threw is tried again, by how often it was claimed: 5 s doubling up to 5 min. */
export const retryAt = (claims: number, now: number): number => now + backoff(claims, RETRIES);
