import { ConditionFailed } from '../adapters/dynamodb/table.ts';

/** Work that only a person can mend (a denied permission, a broken setting): parked at once. */
export class NeedsPerson extends Error {
  override readonly name = 'NeedsPerson';
}

/**
 * The one rule for work that threw:
 * - `superseded`: a condition failed, so somebody else has changed the row meanwhile and what this
 *   worker found out no longer counts. Whoever changed it has made it due.
 * - `park`: no retry can help; shown and alarmed, and released by a person.
 * - `retry`: anything else. Due again after a backoff; the claim stays counted, so a row that fails
 *   {@link MAX_CLAIMS} times in a row is parked by the next claim.
 */
export function outcomeOf(error: unknown): 'superseded' | 'park' | 'retry' {
  if (error instanceof ConditionFailed) return 'superseded';
  if (error instanceof NeedsPerson) return 'park';
  if (error instanceof Error && DENIED.has(error.name)) return 'park';
  return 'retry';
}

const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'AccessDeniedError']);
