import { type CopyRow, isOwn } from '../domain/copying/copy.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import type { ObjectPlace } from './uploads/s3-call.ts';

/**
 * Removes what a copy has left in the bucket: its uploads, and an object that it completed but never
 * announced. Can be repeated.
 */
export async function cleanUp(use: CopyDependencies, row: CopyRow): Promise<void> {
  const { target } = row;
  if (!target) return;
  await abandonUploads(use, row.requestId, target);
  await removeObject(use, row);
}

/** Removes the object at the copy's key, if the copy has put it there. */
export async function removeObject({ uploads }: CopyDependencies, row: CopyRow): Promise<void> {
  const { target } = row;
  const there = target && (await uploads.head(target));
  if (there && isOwn(row, there.mark)) await uploads.remove(target);
}

/** Aborts all uploads at the key, and ends the parked segments that would go on with one when released. */
export async function abandonUploads(
  { uploads, segments }: CopyDependencies,
  requestId: string,
  target: ObjectPlace,
): Promise<void> {
  await uploads.abortAll(target);
  await segments.endParked(requestId);
}
