import type { Claim } from '../adapters/claims.ts';
import type { ObjectPlace } from '../adapters/uploads/uploads.ts';
import type { CopyContent, CopyRow } from '../domain/copy.ts';
import { planCopy } from '../domain/copy-plan.ts';
import { alternativeKey, filenameOf, objectKeyFor } from '../domain/object-key.ts';
import { videoType } from '../domain/video-type.ts';
import type { CopyDependencies } from './dependencies.ts';
import { putCopy } from './put-copy.ts';
import { streamCopy } from './stream-copy.ts';

/** Keys to try before a clash is somebody's mistake. */
const MAX_KEYS = 100;

/**
 * Looks at the source, reserves a key, and begins: a large file by planning its segments, a small
 * one by copying it at once, one that serves no ranges by streaming it.
 */
export async function beginCopy(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  signal: AbortSignal,
): Promise<void> {
  const { source, uploads, copies, memoryMiB } = use;
  const { row } = claim;
  const probe = await source.probe(row.source.url, signal);
  const { size, etag } = probe;
  const content = { size, etag, contentType: videoType(probe.contentType, probe.head) };
  const target = await chooseTarget(use, row, content);
  await copies.note(claim, { content, target });
  // Left by a worker that died before it could note its upload, or by an earlier generation.
  await uploads.abortAll(target);

  if (!probe.ranged || size === undefined) return streamCopy(use, claim, signal);
  const plan = planCopy(size, memoryMiB);
  if (plan.parts === 1) return fetchWhole(use, claim, { ...content, size }, signal);
  const id = await uploads.begin(target, row, content.contentType);
  const { partSize, segments } = plan;
  await use.hint(await copies.planned(claim, { id, size, partSize, segments }));
  use.log.info('copy planned', { requestId: row.requestId, ...plan, size });
}

/** A key that is free in the bucket and reserved for this request. */
async function chooseTarget(use: CopyDependencies, row: CopyRow, content: CopyContent): Promise<ObjectPlace> {
  const { uploads, copies, bucket, keyTemplate } = use;
  const { requestId, generation } = row;
  const filename = filenameOf(row.source.url);
  const wanted = objectKeyFor(keyTemplate, {
    requestId,
    filename,
    contentType: content.contentType,
    now: row.startedAt,
  });
  for (let attempt = 1; attempt <= MAX_KEYS; attempt++) {
    const target = { bucket, key: alternativeKey(wanted, attempt) };
    if (!(await copies.reserve(target, requestId))) continue;
    const there = await uploads.head(target);
    // Ours of this generation: the answer to the request that stored it was lost.
    if (!there || (there.mark.requestId === requestId && there.mark.generation === generation)) return target;
    if (row.target?.key === target.key) await uploads.abortAll(target);
    await copies.unreserve(target, requestId);
  }
  throw new Error(`the object keys ${wanted} to -${MAX_KEYS} are all taken: change the key template`);
}

async function fetchWhole(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  content: CopyContent & { size: number },
  signal: AbortSignal,
): Promise<void> {
  const { source, buffers } = use;
  const buffer = buffers.take(content.size);
  try {
    await putCopy(use, claim, buffer.subarray(0, content.size), {
      fetch: (range, into) => source.read(claim.row.source.url, range, content, into, signal),
      signal,
    });
  } finally {
    buffers.give(buffer);
  }
}
