import type { CopyRow } from '../domain/copying/copy.ts';
import {
  diesSoon,
  MAX_REFUSALS,
  MAX_TROUBLES,
  troubleDueAt,
  URL_WAIT_MS,
  WATCH_MS,
} from '../domain/copying/copy-patience.ts';
import type { Claim } from '../engine/claims.ts';
import { holdLease, Stopped } from '../engine/lease.ts';
import { beginCopy } from './begin-copy.ts';
import { abandonUploads, cleanUp } from './clean-up.ts';
import { completeCopy } from './complete-copy.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { SourceTrouble } from './source/source-error.ts';
import { SinkTrouble } from './uploads/bucket-error.ts';

/**
 * The next step of a copy as a whole. What has been decided comes first, so that a copy that was
 * canceled or has failed does nothing but clean up and end.
 */
export async function coordinate(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  deadline: number,
): Promise<void> {
  const { claims, copies, now } = use;
  const { row } = claim;
  const lease = holdLease(claim, { claims, now, deadline });
  try {
    if (row.state !== 'pending' && row.state !== 'copying') await claims.release(claim, {});
    else if (row.canceled) {
      await cleanUp(use, row);
      await copies.endSilently(claim, 'canceled');
    } else if (row.failure !== undefined) await endFailed(use, claim, row.failure);
    else if (row.upload && row.open === 0) await completeCopy(use, claim, row.upload, lease);
    else if (row.sourceGone) await fail(use, claim, 'upstream has no download of it any more');
    else if (row.urlWantedSince !== undefined) await waitForUrl(use, claim, row.urlWantedSince);
    else if (row.state === 'copying') await claims.release(claim, { dueAt: now() + WATCH_MS });
    else if (diesSoon(row.source, now())) await askForUrl(use, claim, row.refusals);
    else await beginCopy(use, claim, lease);
  } catch (error) {
    try {
      await afterTrouble(use, claim, lease.signal.aborted ? lease.signal.reason : error);
    } finally {
      await undoLate(use, claim);
    }
  } finally {
    lease.end();
  }
}

/**
 * What a worker did after it had lost its claim is to be undone, when the copy has been ended and
 * cleaned up meanwhile; a copy that goes on cleans up at its own end.
 */
async function undoLate(use: CopyDependencies, { row, nonce }: Claim<CopyRow>): Promise<void> {
  const copy = await use.copies.get(row.requestId);
  if (copy?.releasedBy === nonce) return;
  if (copy && (copy.copyId !== row.copyId || copy.state === 'pending' || copy.state === 'copying')) return;
  if (copy?.state !== 'stored') await cleanUp(use, row);
  else if (row.target) await abandonUploads(use, row.requestId, row.target);
}

async function waitForUrl(use: CopyDependencies, claim: Claim<CopyRow>, since: number): Promise<void> {
  const until = since + URL_WAIT_MS;
  if (use.now() >= until) return fail(use, claim, 'upstream gave no fresh URL for a day');
  await use.claims.release(claim, { dueAt: until });
}

async function askForUrl(use: CopyDependencies, claim: Claim<CopyRow>, refusals?: number): Promise<void> {
  const until = use.now() + URL_WAIT_MS;
  await use.hint(await use.copies.askForUrl(claim.row, { until, refusals }, claim));
}

/** The decision is written before anything is undone, so that every later claim goes on undoing. */
async function fail(use: CopyDependencies, claim: Claim<CopyRow>, reason: string): Promise<void> {
  await use.copies.note(claim, { failure: reason });
  await endFailed(use, claim, reason);
}

async function endFailed(use: CopyDependencies, claim: Claim<CopyRow>, reason: string): Promise<void> {
  await cleanUp(use, claim.row);
  const event = { type: 'video.store_failed', data: { reason } } as const;
  await use.hint(
    await use.copies.end(claim, { state: 'failed', video: { state: 'failed', error: reason }, event }),
  );
  use.count('CopyFailed', 1);
  use.log.info('copy failed', { requestId: claim.row.requestId, reason });
}

async function afterTrouble(use: CopyDependencies, claim: Claim<CopyRow>, error: unknown): Promise<void> {
  const { row } = claim;
  if (error instanceof Stopped) return error.why === 'time' ? wait(use, claim, error.message) : undefined;
  if (error instanceof SinkTrouble && error.fault !== 'denied') {
    if (error.fault === 'hopeless') return fail(use, claim, error.message);
    if (error.fault === 'busy') return wait(use, claim, error.message);
    return restart(use, claim, `the upload could not be completed: ${error.message}`);
  }
  if (!(error instanceof SourceTrouble)) throw error;
  const { kind, reason, retryAfterMs } = error.fault;
  if (kind === 'unusable') return fail(use, claim, reason);
  if (kind === 'changed') return restart(use, claim, reason);
  if (kind !== 'refused') return wait(use, claim, reason, retryAfterMs);
  const refusals = (row.refusals ?? 0) + 1;
  if (refusals > MAX_REFUSALS) return fail(use, claim, `${reason} to ${MAX_REFUSALS} fresh URLs in a row`);
  use.log.info('source refused its URL', { requestId: row.requestId, reason });
  return askForUrl(use, claim, refusals);
}

async function restart(use: CopyDependencies, claim: Claim<CopyRow>, reason: string): Promise<void> {
  use.log.info('copy begins anew', { requestId: claim.row.requestId, reason });
  await use.hint(await use.copies.restart(claim, claim.row, reason));
}

async function wait(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  reason: string,
  retryAfterMs?: number,
): Promise<void> {
  const troubles = (claim.row.troubles ?? 0) + 1;
  if (troubles > MAX_TROUBLES) return fail(use, claim, reason);
  use.log.info('copy waits', { requestId: claim.row.requestId, reason, troubles });
  await use.hint(
    await use.copies.released(claim, troubleDueAt(troubles, use.now(), retryAfterMs), { troubles }),
  );
}
