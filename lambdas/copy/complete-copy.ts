import { type CopyRow, type CopyUpload, isOwn, placed } from '../domain/copying/copy.ts';
import { partRange } from '../domain/copying/copy-plan.ts';
import { combineCrc32, crc32ToBase64 } from '../domain/copying/crc32.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { Lease } from '../engine/lease.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { endStored } from './end-copy.ts';
import { BucketError } from './uploads/bucket-error.ts';
import type { StoredPart } from './uploads/parts.ts';
import type { ObjectPlace } from './uploads/s3-call.ts';

/** How often late workers may replace parts between listing and completing. */
const LISTINGS = 5;

/** Puts all parts together, and ends the copy. Throws {@link BucketError} when that cannot be done. */
export async function completeCopy(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  upload: CopyUpload,
  lease: Lease,
): Promise<void> {
  const { target } = placed(claim.row);
  const place = { ...target, uploadId: upload.id };
  const last = Math.ceil(upload.size / upload.partSize);
  let demanded: string | undefined;
  for (let listing = 1; ; listing++) {
    try {
      const parts = await use.uploads.parts(place, 1, last);
      requireAll(parts, upload);
      const crc = wholeCrc(parts);
      demanded = crc32ToBase64(crc);
      await lease.confirm();
      await use.uploads.complete(place, parts, { crc, size: upload.size });
      return await endStored(use, claim, { size: upload.size, crc: demanded }, lease);
    } catch (error) {
      if (!(error instanceof BucketError)) throw error;
      if (error.kind === 'stale-parts' && listing < LISTINGS) continue;
      // The answer to an earlier try may have been lost.
      const own = await ownObject(use, claim.row, target, upload.size);
      if (own === undefined || own !== (demanded ?? own)) {
        throw error.kind === 'corrupt' ? neverComplete(error.message) : error;
      }
      return await endStored(use, claim, { size: upload.size, crc: own }, lease);
    }
  }
}

/** The checksum of the object at the key, if this generation of the copy has put it there. */
export async function ownObject(
  { uploads }: CopyDependencies,
  row: CopyRow,
  target: ObjectPlace,
  size: number,
): Promise<string | undefined> {
  const found = await uploads.head(target);
  const own = found && isOwn(row, found.mark) && found.mark.generation === row.generation;
  return own && found.size === size ? found.crc32 : undefined;
}

export function wholeCrc(parts: readonly StoredPart[]): number {
  return parts.reduce((crc, part) => combineCrc32(crc, part.crc, part.size), 0);
}

function requireAll(parts: readonly StoredPart[], upload: CopyUpload): void {
  const last = Math.ceil(upload.size / upload.partSize);
  const complete =
    parts.length === last &&
    parts.every(({ number, size }, i) => number === i + 1 && size === partRange(number, upload).length);
  if (!complete) throw neverComplete('the bucket lists some of the parts only');
}

/** These parts cannot become the object, however often that is tried. */
const neverComplete = (reason: string): BucketError => new BucketError('gone', reason);
