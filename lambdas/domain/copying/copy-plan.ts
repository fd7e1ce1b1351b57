const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** S3's limits of a multipart upload, bytes: 10,000 parts of at most 5 GiB, 48.8 TiB in all. */
export const MAX_PARTS = 10_000;
export const MIN_PART_BYTES = 5 * MIB;
export const MAX_PART_BYTES = 5 * GIB;
export const MAX_OBJECT_BYTES = MAX_PARTS * MAX_PART_BYTES;

/** What a worker needs besides the buffers of its parts: Node, the code, sockets. */
const RUNTIME_BYTES = 192 * MIB;
const MOST_LANES = 6;
const LEAST_BUFFER_BYTES = 8 * MIB;
/** So many rows, the COPY row and the request's fit into one transaction of 100. */
const MOST_SEGMENTS = 90;
const PARTS_PER_SEGMENT = 8;

export type CopyPlan = {
  /** Bytes of each part but the last. */
  readonly partSize: number;
  readonly parts: number;
  /** Rows that as many workers can copy at once. */
  readonly segments: number;
};

export type WorkerPlan = {
  /** Parts that a worker copies at a time. */
  readonly concurrency: number;
  /** Bytes of each lane's buffer. A part that is larger is passed through it piece by piece. */
  readonly bufferBytes: number;
};

/**
 * How to cut `size` bytes for workers of `memoryMiB`. Larger files get larger parts, since a part's
 * request costs more than its bytes' compute: 16 MiB below 4 GiB, 32 below 32 GiB, 64 above, fewer
 * where the memory is small, more where 10,000 parts would not do.
 */
export function planCopy(size: number, memoryMiB: number): CopyPlan {
  if (size > MAX_OBJECT_BYTES) throw new RangeError(`${size} bytes are more than S3 stores in one object`);
  const wanted = size < 4 * GIB ? 16 * MIB : size < 32 * GIB ? 32 * MIB : 64 * MIB;
  const affordable = Math.max(LEAST_BUFFER_BYTES, floorToPowerOfTwo(bufferBudget(memoryMiB) / 4));
  const needed = Math.ceil(size / MAX_PARTS / MIB) * MIB;
  const partSize = Math.min(MAX_PART_BYTES, Math.max(Math.min(wanted, affordable), needed));
  const parts = Math.max(1, Math.ceil(size / partSize));
  const segments = Math.min(MOST_SEGMENTS, Math.ceil(parts / PARTS_PER_SEGMENT));
  return { partSize, parts, segments };
}

/** How a worker of `memoryMiB` copies parts of `partSize` bytes: buffers never exceed its memory. */
export function planWorker(partSize: number, memoryMiB: number): WorkerPlan {
  const budget = bufferBudget(memoryMiB);
  const concurrency = Math.min(MOST_LANES, Math.floor(budget / partSize));
  if (concurrency >= 2) return { concurrency, bufferBytes: partSize };
  const lanes = Math.max(1, Math.min(4, Math.floor(budget / LEAST_BUFFER_BYTES)));
  return { concurrency: lanes, bufferBytes: Math.min(partSize, floorToPowerOfTwo(budget / lanes)) };
}

/** The parts of a segment, first and last (inclusive), of `parts` in all: even to within one part. */
export function segmentParts(segment: number, plan: Pick<CopyPlan, 'parts' | 'segments'>): [number, number] {
  const bound = (i: number) => Math.floor((i * plan.parts) / plan.segments);
  return [bound(segment) + 1, bound(segment + 1)];
}

/** Where a part (from 1) lies in the whole, bytes. */
export function partRange(part: number, upload: { partSize: number; size: number }) {
  const start = (part - 1) * upload.partSize;
  return { start, length: Math.min(upload.partSize, upload.size - start) };
}

/** Half of the memory but for what Node itself needs; the rest is room for what is on the wire. */
const bufferBudget = (memoryMiB: number): number =>
  Math.max(2 * LEAST_BUFFER_BYTES, (memoryMiB * MIB) / 2 - RUNTIME_BYTES);

const floorToPowerOfTwo = (bytes: number): number => 2 ** Math.floor(Math.log2(bytes));
