import { type CopyContent, type CopyRow, isOwn, placed } from '../domain/copying/copy.ts';
import { planCopy } from '../domain/copying/copy-plan.ts';
import { alternativeKey, filenameOf, objectKeyFor } from '../domain/copying/object-key.ts';
import { videoType } from '../domain/copying/video-type.ts';
import type { Claim } from '../engine/claims.ts';
import type { Lease } from '../engine/lease.ts';
import { abandonUploads } from './clean-up.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import type { PartRoute } from './copy-parts.ts';
import { putCopy } from './put-copy.ts';
import { streamCopy } from './stream-copy.ts';

/** Keys to try before a clash is somebody's mistake. */
const MAX_KEYS = 100;

/**
 * Looks at the source, reserves a key, and begins: a large file by planning its segments, a small
 * one by copying it at once, one that serves no ranges by streaming it.
 */
export async function beginCopy(use: CopyDependencies, claim: Claim<CopyRow>, lease: Lease): Promise<void> {
  const { source, uploads, copies, memoryMiB } = use;
  const { row } = claim;
  const probe = await source.probe(row.source.url, lease.signal);
  const { size, etag } = probe;
  const content = { size, etag, contentType: videoType(probe.contentType, probe.head) };
  await reserveKey(use, claim, content, lease);
  await copies.note(claim, { content });

  if (!probe.ranged || size === undefined) return streamCopy(use, claim, lease);
  const plan = planCopy(size, memoryMiB);
  if (plan.parts === 1) return fetchWhole(use, claim, { ...content, size }, lease);
  const id = await uploads.begin(placed(row).target, row, content.contentType);
  const { partSize, segments } = plan;
  await use.hint(await copies.planned(claim, { id, size, partSize, segments }));
  use.log.info('copy planned', { requestId: row.requestId, ...plan, size });
}

/**
 * Reserves a key that is free in the bucket. The one that the copy has already comes first: the name
 * and type that another key would be made of may have changed since. None is left with an upload.
 */
async function reserveKey(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  content: CopyContent,
  lease: Lease,
): Promise<void> {
  const { uploads, copies, bucket, keyTemplate } = use;
  const { row } = claim;
  const wanted = objectKeyFor(keyTemplate, {
    requestId: row.requestId,
    filename: filenameOf(row.source.url),
    contentType: content.contentType,
    now: row.startedAt,
  });
  const keys = Array.from({ length: MAX_KEYS }, (_, i) => alternativeKey(wanted, i + 1));
  for (const target of [row.target, ...keys.map((key) => ({ bucket, key }))]) {
    if (!target || !(await copies.reserve(claim, target))) continue;
    await lease.confirm();
    // Left by a worker that died before it could note its upload, or by an earlier generation.
    await abandonUploads(use, row.requestId, target);
    const there = await uploads.head(target);
    if (!there) return;
    if (!isOwn(row, there.mark)) continue;
    // Of this generation: the answer to who stored it was lost. Of an earlier one: it was never told of.
    if (there.mark.generation !== row.generation) await uploads.remove(target);
    return;
  }
  throw new Error(`the object keys ${wanted} to -${MAX_KEYS} are all taken: change the key template`);
}

async function fetchWhole(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  content: CopyContent & { size: number },
  lease: Lease,
): Promise<void> {
  const { source, buffers } = use;
  const buffer = buffers.take(content.size);
  try {
    const fetch: PartRoute['fetch'] = (range, into) =>
      source.read(claim.row.source.url, range, content, into, lease.signal);
    await putCopy(use, claim, buffer.subarray(0, content.size), fetch, lease);
  } finally {
    buffers.give(buffer);
  }
}
