const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** S3's limits of a multipart upload: 10,000 parts of at least 5 MiB. */
export const MAX_PARTS = 10_000;
export const MIN_PART_BYTES = 5 * MIB;

/** The memory that a worker needs besides the buffers of its parts: for Node, the code, sockets. */
const RUNTIME_BYTES = 192 * MIB;
const MAX_CONCURRENCY = 6;
/** One part is fetched while another is sent. */
const MIN_CONCURRENCY = 2;
/** This many rows, the COPY row and the request's fit into one transaction of 100. */
const MOST_SEGMENTS = 90;
/** More than a worker holds at a time, so that it fetches some while it sends others. */
const PARTS_PER_SEGMENT = 8;

/** The limits within which a file is divided. */
export type PartLimits = {
  /** Of one worker, which holds several parts at a time. */
  readonly memoryMiB: number;
  /** The smallest part that the bucket takes, bytes. */
  readonly minPartBytes: number;
};

type CopyPlan = {
  /** Bytes of each part but the last. */
  readonly partSize: number;
  readonly parts: number;
  /** The number of segments: as many workers can copy at once. */
  readonly segments: number;
};

/**
 * The largest file that workers can copy, bytes: 10,000 parts; a worker holds two in memory. That is
 * 1.5 TiB at the 1 GiB that is deployed.
 */
export const largestCopy = (limits: PartLimits): number => MAX_PARTS * largestPart(limits);

/**
 * How to cut `size` bytes. Larger files get larger parts, since the request of a small part costs more than the
 * compute for its bytes: 32 MiB below 4 GiB, 64 MiB above, less where the memory is small, more where 10,000 parts
 * would not do.
 *
 * @param size at most {@link largestCopy}
 */
export function planCopy(size: number, limits: PartLimits): CopyPlan {
  const wanted = size < 4 * GIB ? 32 * MIB : 64 * MIB;
  const affordable = Math.max(limits.minPartBytes, floorToPowerOfTwo(bufferBudget(limits) / 4));
  const needed = Math.ceil(size / MAX_PARTS / MIB) * MIB;
  const partSize = Math.max(Math.min(wanted, affordable), needed);
  const parts = Math.max(1, Math.ceil(size / partSize));
  const segments = Math.min(MOST_SEGMENTS, Math.ceil(parts / PARTS_PER_SEGMENT));
  return { partSize, parts, segments };
}

/** How many parts of `partSize` bytes a worker copies at a time: each has its own buffer. */
export const concurrencyFor = (partSize: number, limits: PartLimits): number =>
  Math.max(1, Math.min(MAX_CONCURRENCY, Math.floor(bufferBudget(limits) / partSize)));

/** The parts of a segment, first and last (inclusive), of `parts` in all: segments differ by at most one part. */
export function segmentParts(segment: number, plan: Pick<CopyPlan, 'parts' | 'segments'>): [number, number] {
  const bound = (i: number) => Math.floor((i * plan.parts) / plan.segments);
  return [bound(segment) + 1, bound(segment + 1)];
}

/** Where a part (from 1) lies in the whole, bytes. */
export function partRange(part: number, upload: { partSize: number; size: number }) {
  const start = (part - 1) * upload.partSize;
  return { start, length: Math.min(upload.partSize, upload.size - start) };
}

/** Half of the memory, less what Node itself needs; the other half is room for what is on the wire. */
const bufferBudget = (limits: PartLimits): number =>
  Math.max(MIN_CONCURRENCY * limits.minPartBytes, (limits.memoryMiB * MIB) / 2 - RUNTIME_BYTES);

const largestPart = (limits: PartLimits): number =>
  Math.floor(bufferBudget(limits) / MIN_CONCURRENCY / MIB) * MIB;

const floorToPowerOfTwo = (bytes: number): number => 2 ** Math.floor(Math.log2(bytes));
