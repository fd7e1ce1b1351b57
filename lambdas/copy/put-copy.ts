import { crc32 } from 'node:zlib';
import type { Claim } from '../adapters/claims.ts';
import { SinkTrouble } from '../adapters/uploads/sink-trouble.ts';
import { type CopyRow, placed } from '../domain/copy.ts';
import { crc32ToBase64 } from '../domain/crc32.ts';
import { endStored, ownObject } from './complete-copy.ts';
import { copyPart, type PartRoute } from './copy-parts.ts';
import type { CopyDependencies } from './dependencies.ts';
import type { Lease } from './lease.ts';

/** Copies a file below one part: it is fetched into `whole`, which it fills, and stored by one PutObject. */
export async function putCopy(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  whole: Buffer,
  fetch: PartRoute['fetch'],
  lease: Lease,
): Promise<void> {
  const { uploads, pause, count } = use;
  const { signal } = lease;
  const { row } = claim;
  const { target, content } = placed(row);
  const { length } = whole;
  const store: PartRoute['store'] = (_part, body, crc) =>
    uploads.put(target, row, content.contentType, body, crc);
  await copyPart({ number: 1, start: 0, length }, whole, { route: { fetch, store }, signal, pause }).catch(
    async (error: unknown) => {
      // Taken by our own earlier try, whose answer was lost?
      const taken = error instanceof SinkTrouble && error.fault === 'taken';
      const own = taken ? await ownObject(use, row, target, length) : undefined;
      if (own !== crc32ToBase64(crc32(whole))) throw error;
    },
  );
  count('BytesCopied', length);
  await endStored(use, claim, { size: length, crc: crc32ToBase64(crc32(whole)) }, lease);
}
