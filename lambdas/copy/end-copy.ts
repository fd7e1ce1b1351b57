import { type CopyContent, type CopyRow, isSameContent, placed } from '../domain/copying/copy.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { type Lease, Stopped } from '../engine/lease.ts';
import { abandonUploads, cleanUp } from './clean-up.ts';
import type { CopyOutcome } from './commit-end.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import type { ObjectPlace } from './uploads/s3-call.ts';

type StoredVideo = {
  readonly target: ObjectPlace;
  readonly contentType: string;
  readonly size: number;
  /** Base64. */
  readonly crc: string;
};

/** Makes the video stored, with its event, once the object is in the bucket and its checksum is known. */
export async function endStored(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  { size, crc }: { size: number; crc: string },
  lease: Lease,
): Promise<void> {
  const { requestId, earlier } = claim.row;
  const { target, content } = placed(claim.row);
  await lease.confirm();
  // Begun by a worker that had lost the copy and did not know it yet.
  await abandonUploads(use, requestId, target);
  const video = { target, contentType: content.contentType, size, crc };
  await end(use, claim, storedOutcome(use, video, earlier?.target));
}

/**
 * Ends the copy with the video that an earlier run of the request stored, if that is still there and the
 * source serves the same bytes; false when there is something to copy.
 */
export async function endKept(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  now: CopyContent,
  lease: Lease,
): Promise<boolean> {
  const { earlier, target: begun } = claim.row;
  if (!earlier || begun || !isSameContent(earlier.content, now)) return false;
  const { copyId, target, content } = earlier;
  const there = await use.uploads.head(target);
  if (there?.mark.copyId !== copyId || there.size !== now.size || !there.crc32) return false;
  await lease.confirm();
  const video = { target, contentType: content.contentType, size: there.size, crc: there.crc32 };
  // The object keeps the mark of the copy that stored it, so the row takes it over, in the same write.
  await end(use, claim, { ...storedOutcome(use, video), row: { copyId, target, content } });
  return true;
}

/** Cleans up and ends the copy as failed. */
export async function endFailed(use: CopyDependencies, claim: Claim<CopyRow>, reason: string): Promise<void> {
  await cleanUp(use, claim.row);
  const event = { type: 'video.store_failed', data: { reason } } as const;
  await end(use, claim, { state: 'failed', video: { state: 'failed', error: reason }, event });
}

/**
 * Cleans up and ends a copy whose request was stopped. A request that the last worker sent may
 * reach the bucket until its lease ends, so the copy is cleaned up once more then.
 */
export async function endCanceled(use: CopyDependencies, claim: Claim<CopyRow>): Promise<void> {
  const { lateUntil = 0 } = claim.row;
  await cleanUp(use, claim.row);
  if (use.now() < lateUntil) return use.hint(await use.claims.again(claim, lateUntil));
  await use.copies.cancel(claim);
  use.log.info('copy canceled', { requestId: claim.row.requestId });
}

/** Commits an end and reports it; a request that was stopped since gets no event and keeps no object. */
async function end(use: CopyDependencies, claim: Claim<CopyRow>, outcome: CopyOutcome): Promise<void> {
  const due = await use.copies.end(claim, outcome);
  if (due === 'stopped') {
    // A request also ends when another worker stores its video while this one is frozen.
    if (!(await use.claims.renew(claim))) throw new Stopped('lost', 'another worker has ended the copy');
    return endCanceled(use, claim);
  }
  await use.hint(due);
  const { requestId } = claim.row;
  const { size, key, error } = outcome.video;
  if (outcome.state === 'stored') {
    use.count('CopiesStored', 1);
    use.log.info('stored', { requestId, size, key });
  } else {
    use.count('VideosMissing', 1);
    use.log.info('copy failed', { requestId, reason: error });
  }
}

/** @param previous where an earlier run of the request stored another video, which stays there */
function storedOutcome(
  { now }: CopyDependencies,
  { target, contentType, size, crc }: StoredVideo,
  previous?: ObjectPlace,
): CopyOutcome {
  const checksum = { algorithm: 'CRC32', value: crc };
  const video = { ...target, size, contentType, checksum, ...(previous ? { previous } : {}) };
  return {
    state: 'stored',
    video: { state: 'stored', copiedBytes: size, storedAt: now(), ...video },
    event: { type: 'video.stored', data: { video } },
  };
}
