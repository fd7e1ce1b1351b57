import type { CopyRow } from '../domain/copying/copy.ts';
import {
  copyRetryAt,
  diesSoon,
  givesUp,
  hasNoUrl,
  renewAt,
  tooOften,
  urlCheckAt,
  WATCH_MS,
} from '../domain/copying/copy-retries.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { holdLease } from '../engine/lease.ts';
import { beginCopy } from './begin-copy.ts';
import { abandonUploads, cleanUp, removeObject } from './clean-up.ts';
import { completeCopy } from './complete-copy.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { endCanceled, endFailed } from './end-copy.ts';
import { type CopyFault, isFault } from './fault-of.ts';
import { remedy } from './remedy.ts';
import { reportFailure } from './report-failure.ts';

/**
 * The next step of a copy as a whole. What has been decided comes first, so that a copy that was
 * canceled or has failed does nothing but clean up and end.
 */
export async function coordinate(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  deadline: number,
): Promise<void> {
  const { claims, copies, hint, now } = use;
  const { row } = claim;
  const lease = holdLease(claim, { claims, now, deadline });
  try {
    if (row.state !== 'pending' && row.state !== 'copying') await claims.finish(claim);
    else if (row.canceled) await endCanceled(use, claim);
    else if (row.failure !== undefined) await endFailed(use, claim, row.failure);
    else if (row.upload && row.open === 0) await completeCopy(use, claim, row.upload, lease);
    else if (row.sourceGone) await fail(use, claim, 'Topaz no longer offers a download');
    else if (row.urlWantedSince !== undefined) await awaitUrl(use, claim, row.urlWantedSince);
    else if (row.state === 'copying') await hint(await claims.again(claim, now() + WATCH_MS));
    else if (diesSoon(row.source, now())) await askForUrl(use, claim, now(), row.consecutiveFailures);
    else await beginCopy(use, claim, lease);
  } catch (error) {
    const cause = lease.signal.aborted && !isFault(error, 'interrupted') ? lease.signal.reason : error;
    try {
      await remedy(use, row, cause, {
        fail: (reason) => fail(use, claim, reason),
        restart: async (reason, streamed) => hint(await copies.restart(claim, row, { reason, streamed })),
        renew: (fault) => failing(use, claim, fault, (n) => askForUrl(use, claim, renewAt(n, now()), n)),
        wait: (fault) => failing(use, claim, fault, (n) => wait(use, claim, fault, n)),
      });
    } finally {
      await undoLate(use, claim);
    }
  } finally {
    lease.end();
  }
}

/**
 * Undoes what a worker did after it had lost its claim, if another worker has ended and cleaned up the copy by
 * then. A copy that goes on cleans up at its own end.
 */
async function undoLate(use: CopyDependencies, { row, nonce }: Claim<CopyRow>): Promise<void> {
  const copy = await use.copies.get(row.requestId);
  if (copy?.releasedBy === nonce) return;
  // The uploads at the key may be those of the next copy of the request, which aborts all when it ends.
  if (copy && copy.copyId !== row.copyId) return removeObject(use, row);
  if (copy?.state === 'pending' || copy?.state === 'copying') return;
  if (copy?.state !== 'stored') await cleanUp(use, row);
  else if (row.target) await abandonUploads(use, row.requestId, row.target);
}

/** A fresh URL ends the wait, so there is none yet. */
async function awaitUrl(use: CopyDependencies, claim: Claim<CopyRow>, since: number): Promise<void> {
  const { claims, hint, shown, now } = use;
  const { requestId, startedAt } = claim.row;
  if (hasNoUrl(since, now())) return fail(use, claim, 'Topaz gave no fresh URL for a day');
  const reason = 'Topaz has given no fresh URL yet';
  reportFailure(use, claim.row, 'copy waits', { reason });
  await shown.showFailure(requestId, reason);
  await hint(await claims.again(claim, urlCheckAt(since, startedAt, now())));
}

async function askForUrl(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  at: number,
  consecutiveFailures: number | undefined,
): Promise<void> {
  await use.hint(await use.copies.askForUrl(claim.row, { at, consecutiveFailures }, claim));
}

/**
 * Writes the decision before it cleans up, so that every later claim continues to clean up. The first reason
 * counts; later ones only say why the cleaning up has failed.
 */
async function fail(use: CopyDependencies, claim: Claim<CopyRow>, reason: string): Promise<void> {
  const { failure = reason } = claim.row;
  await use.claims.note(claim, { failure });
  await endFailed(use, claim, failure);
}

/** Goes on with the count of failures in a row; after too many the copy has failed. */
async function failing(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  { reason }: CopyFault,
  goOn: (failures: number) => Promise<void>,
): Promise<void> {
  const failures = (claim.row.consecutiveFailures ?? 0) + 1;
  const { startedAt } = claim.row;
  if (givesUp(failures, startedAt, use.now())) return fail(use, claim, tooOften(reason, failures));
  reportFailure(use, claim.row, 'copy waits', { reason, failures });
  await goOn(failures);
}

async function wait(
  { claims, hint, now }: CopyDependencies,
  claim: Claim<CopyRow>,
  { retryAfterMs }: CopyFault,
  consecutiveFailures: number,
): Promise<void> {
  const at = copyRetryAt(consecutiveFailures, now(), retryAfterMs);
  await hint(await claims.again(claim, at, { set: { consecutiveFailures } }));
}
