import type { CopyRow } from '../domain/copying/copy.ts';
import type { CopyFailure } from '../domain/copying/copy-failures.ts';
import { isExpiring } from '../domain/copying/copy-retries.ts';
import type { CopyDependencies } from './copy-dependencies.ts';

/**
 * Logs a failure that a copy, or a segment of one, goes on after, and counts it if upstream may soon delete the
 * video: a person can still fetch it.
 */
export function reportFailure(
  { now, count, log }: CopyDependencies,
  { requestId, startedAt }: CopyRow,
  failure: CopyFailure,
  details: { readonly reason: string; readonly failures?: number },
): void {
  log.info(failure, { requestId, ...details });
  if (isExpiring(startedAt, now())) count('CopiesExpiring', 1);
}
