import { crc32 } from 'node:zlib';
import { type CopyRow, placed } from '../domain/copying/copy.ts';
import { crc32ToBase64 } from '../domain/copying/crc32.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { Lease } from '../engine/lease.ts';
import { ownObject } from './complete-copy.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { copyPart, type PartRoute } from './copy-parts.ts';
import { endStored } from './end-copy.ts';
import { isFault } from './fault-of.ts';

/** Copies a file below one part: it is fetched into `whole`, which it fills, and stored by one PutObject. */
export async function putCopy(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  whole: Buffer,
  fetch: PartRoute['fetch'],
  lease: Lease,
): Promise<void> {
  const { uploads, sleep, count } = use;
  const { signal } = lease;
  const { row } = claim;
  const { target, content } = placed(row);
  const { length } = whole;
  const store: PartRoute['store'] = (_part, body, crc) =>
    uploads.put(target, row, content.contentType, body, crc, signal);
  await copyPart({ number: 1, start: 0, length }, whole, { route: { fetch, store }, signal, sleep }).catch(
    async (error: unknown) => {
      // It may have been taken by our own earlier try, with its answer lost.
      const own = isFault(error, 'taken') ? await ownObject(use, row, target, length) : undefined;
      if (own !== crc32ToBase64(crc32(whole))) throw error;
    },
  );
  count('BytesCopied', length);
  await endStored(use, claim, { size: length, crc: crc32ToBase64(crc32(whole)) }, lease);
}
