import { type CopyRow, isOwn } from '../domain/copy.ts';
import type { CopyDependencies } from './dependencies.ts';

/**
 * Removes what a copy has left in the bucket: its uploads, and an object that it completed but never
 * told of. Can be repeated.
 */
export async function cleanUp({ uploads }: CopyDependencies, row: CopyRow): Promise<void> {
  const { target } = row;
  if (!target) return;
  await uploads.abortAll(target);
  const there = await uploads.head(target);
  if (there && isOwn(row, there.mark)) await uploads.remove(target);
}
