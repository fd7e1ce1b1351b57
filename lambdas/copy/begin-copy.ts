import { type CopyContent, type CopyRow, isOwn, placed } from '../domain/copying/copy.ts';
import { largestCopy, planCopy } from '../domain/copying/copy-plan.ts';
import { mediaType } from '../domain/copying/media-type.ts';
import { alternativeKey, filenameOf, objectKeyFor } from '../domain/copying/object-key.ts';
import type { Claim } from '../engine/claim-writes.ts';
import { NeedsPerson } from '../engine/failure.ts';
import type { Lease } from '../engine/lease.ts';
import { abandonUploads } from './clean-up.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import type { PartRoute } from './copy-parts.ts';
import { endKept } from './end-copy.ts';
import { putCopy } from './put-copy.ts';
import type { FileFacts } from './source/file-facts.ts';
import { unusable } from './source/source-error.ts';
import { streamCopy } from './stream-copy.ts';

/** How many keys are tried; when all of them are taken, the key template is wrong. */
const MAX_KEYS = 100;

/**
 * Looks at the source, reserves a key, and begins. It plans the segments of a large file, copies a small one at
 * once, and streams a source without reliable ranges.
 */
export async function beginCopy(use: CopyDependencies, claim: Claim<CopyRow>, lease: Lease): Promise<void> {
  const { source } = use;
  const { row } = claim;
  const probe = row.streamed ? undefined : await source.probe(row.source.url, lease.signal);
  if (probe?.ranged && probe.size !== undefined) {
    const content = { ...contentOf(use, probe), size: probe.size };
    if (await endKept(use, claim, content, lease)) return;
    await begin(use, claim, content, lease);
    return copyRanges(use, claim, content, lease);
  }
  const stream = await source.stream(row.source.url, lease.signal);
  try {
    const content = contentOf(use, stream);
    if (await endKept(use, claim, content, lease)) return;
    await begin(use, claim, content, lease);
    await streamCopy(use, claim, stream.chunks, lease);
  } finally {
    stream.close();
  }
}

/** What to store the file as; throws for one that is too large. */
function contentOf({ partLimits }: CopyDependencies, facts: FileFacts): CopyContent {
  const { size, etag, lastModified } = facts;
  const largest = largestCopy(partLimits);
  if (size !== undefined && size > largest) {
    throw unusable(
      `the video has ${size} bytes, and the bridge copies at most ${largest}: download it from Topaz yourself`,
    );
  }
  return { size, etag, lastModified, contentType: mediaType(facts.contentType, facts.head) };
}

async function begin(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  content: CopyContent,
  lease: Lease,
): Promise<void> {
  await reserveKey(use, claim, content, lease);
  await use.claims.note(claim, { content });
}

/** Copies a file below one part at once, and plans a larger one. */
async function copyRanges(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  content: CopyContent & { size: number },
  lease: Lease,
): Promise<void> {
  const { uploads, copies, partLimits } = use;
  const { row } = claim;
  const { size, contentType } = content;
  const plan = planCopy(size, partLimits);
  if (plan.parts === 1) return fetchWhole(use, claim, content, lease);
  const id = await uploads.begin(placed(row).target, row, contentType, lease.signal);
  const { partSize, segments } = plan;
  await use.hint(await copies.commitPlan(claim, { id, size, partSize, segments }));
  use.log.info('copy planned', { requestId: row.requestId, ...plan, size });
}

/**
 * Reserves a key that is free in the bucket. It first tries the key that the copy has already, since the name
 * and type that make up a key may have changed. It leaves no upload at a key that it gives up.
 */
async function reserveKey(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  content: CopyContent,
  lease: Lease,
): Promise<void> {
  const { uploads, copies, bucket, keyTemplate } = use;
  const { row } = claim;
  const first = objectKeyFor(keyTemplate, {
    requestId: row.requestId,
    filename: filenameOf(row.source.url),
    contentType: content.contentType,
    now: row.startedAt,
  });
  const keys = Array.from({ length: MAX_KEYS }, (_, i) => alternativeKey(first, i + 1));
  for (const target of [row.target, ...keys.map((key) => ({ bucket, key }))]) {
    if (!target || !(await copies.reserve(claim, target))) continue;
    await lease.confirm();
    // Left by a worker that died before it could note its upload, or by an earlier generation.
    await abandonUploads(use, row.requestId, target);
    const there = await uploads.head(target);
    if (!there) return;
    if (!isOwn(row, there.mark)) continue;
    // Of this generation: the answer to its storing was lost. Of an earlier one: it was never announced.
    if (there.mark.generation !== row.generation) await uploads.remove(target);
    return;
  }
  throw new NeedsPerson(`the object keys ${first} to -${MAX_KEYS} are all taken: change the key template`);
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
