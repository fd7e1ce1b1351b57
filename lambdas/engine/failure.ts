/** Work that only a person can repair, such as a broken setting: parked at once. */
export class NeedsPerson extends Error {
  override readonly name = 'NeedsPerson';
}

/** AWS denied a permission. The message says what to allow. */
export class Denied extends Error {
  override readonly name = 'Denied';
}

/** Claims after which a denial counts as final: the waits between them add up to over five minutes. */
const DENIED_CLAIMS = 7;
const DENIALS = new Set(['Denied', 'AccessDenied', 'AccessDeniedException', 'AccessDeniedError']);

/**
 * The one rule for work that threw:
 * - `park`: no retry can help. The row is shown and raises an alarm, and a person releases it. A denial
 *   counts as one only after five minutes, since IAM's changes take a while to arrive everywhere.
 * - `retry`: anything else. The row is due again after a backoff and the claim stays counted, so a row
 *   that fails eight times in a row (`MAX_CLAIMS` in due-time.ts) is parked by the next claim.
 *
 * If another writer has the row, its state stays, whatever this worker threw.
 *
 * @param claims claims without progress so far, this one included
 */
export function outcomeOf(error: unknown, claims: number): 'park' | 'retry' {
  if (error instanceof NeedsPerson) return 'park';
  if (error instanceof Error && DENIALS.has(error.name)) return claims < DENIED_CLAIMS ? 'retry' : 'park';
  return 'retry';
}
