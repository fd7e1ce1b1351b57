import { type CopyRow, isOwn } from '../domain/copy.ts';
import type { CopyDependencies } from './dependencies.ts';

/**
 * Removes what a copy has left in the bucket: its uploads, an object that it completed but never
 * told of, and the reservation of the key. Can be repeated.
 */
export async function cleanUp({ uploads, copies }: CopyDependencies, row: CopyRow): Promise<void> {
  const { target, requestId } = row;
  if (!target) return;
  await uploads.abortAll(target);
  const there = await uploads.head(target);
  if (there && isOwn(row, there.mark)) await uploads.remove(target);
  await copies.unreserve(target, requestId);
}
