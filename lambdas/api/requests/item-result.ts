import { log } from '../../adapters/lambda/log.ts';
import type { Problem } from '../http/problem.ts';
import { problemOf } from '../http/refusal.ts';

/** What a batch answers for one of its items. */
export type ItemResult = { requestId: string | null; status: number; error?: ReturnType<Problem['details']> };

/** An invalid id is repeated in the answer up to this length. */
const MAX_SHOWN_ID = 100;

/** The result of an item that was not registered because of `error`. */
export function refused(item: unknown, error: unknown): ItemResult {
  const problem = problemOf(error);
  const requestId = idOf(item);
  if (problem.status >= 500) log.error('item failed', { requestId, error: error as Error });
  return { requestId: requestId ?? null, status: problem.status, error: problem.details() };
}

function idOf(item: unknown): string | undefined {
  const { requestId } = (typeof item === 'object' && item !== null ? item : {}) as { requestId?: unknown };
  return typeof requestId === 'string' && requestId.length <= MAX_SHOWN_ID ? requestId : undefined;
}
