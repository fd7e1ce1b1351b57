import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MAX_OBJECT_BYTES,
  MAX_PART_BYTES,
  MAX_PARTS,
  MIN_PART_BYTES,
  partRange,
  planCopy,
  planWorker,
  segmentParts,
} from '../../../../lambdas/domain/copying/copy-plan.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** All magnitudes alike, up to S3's 48.8 TiB. */
const size = fc.oneof(
  fc.integer({ min: 1, max: MAX_OBJECT_BYTES }),
  fc
    .double({ min: 0, max: Math.log2(MAX_OBJECT_BYTES), noNaN: true })
    .map((power) => Math.max(1, Math.floor(2 ** power))),
  fc
    .integer({ min: 1, max: MAX_PARTS })
    .chain((n) => fc.constantFrom(n * 16 * MIB, n * 64 * MIB + 1, n * MAX_PART_BYTES)),
);
const memoryMiB = fc.integer({ min: 128, max: 10_240 });

describe('a plan, for any size and memory', () => {
  test('stays within the limits of S3', () => {
    fc.assert(
      fc.property(size, memoryMiB, (bytes, memory) => {
        const { partSize, parts } = planCopy(bytes, memory);
        expect(parts).toBeLessThanOrEqual(MAX_PARTS);
        expect(partSize).toBeLessThanOrEqual(MAX_PART_BYTES);
        expect(partSize).toBeGreaterThanOrEqual(MIN_PART_BYTES);
        expect(Number.isInteger(partSize)).toBe(true);
      }),
    );
  });

  test('covers every byte once, in parts and in segments', () => {
    fc.assert(
      fc.property(size, memoryMiB, (bytes, memory) => {
        const plan = planCopy(bytes, memory);
        const bounds = Array.from({ length: plan.segments }, (_, i) => segmentParts(i, plan));
        let next = 1;
        for (const [first, last] of bounds) {
          expect(first).toBe(next);
          expect(last).toBeGreaterThanOrEqual(first);
          next = last + 1;
        }
        expect(next).toBe(plan.parts + 1);
        const final = partRange(plan.parts, { ...plan, size: bytes });
        expect(final.start + final.length).toBe(bytes);
        expect(final.length).toBeGreaterThan(0);
        expect(final.length).toBeLessThanOrEqual(plan.partSize);
      }),
    );
  });

  test('gives segments that differ by one part at most, as many as fit into one transaction', () => {
    fc.assert(
      fc.property(size, memoryMiB, (bytes, memory) => {
        const plan = planCopy(bytes, memory);
        const lengths = Array.from({ length: plan.segments }, (_, i) => segmentParts(i, plan)).map(
          ([first, last]) => last - first + 1,
        );
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
        expect(plan.segments).toBeLessThanOrEqual(90);
      }),
    );
  });

  test('keeps the buffers within half of the memory', () => {
    fc.assert(
      fc.property(size, memoryMiB, (bytes, memory) => {
        const { concurrency, bufferBytes } = planWorker(planCopy(bytes, memory).partSize, memory);
        expect(concurrency).toBeGreaterThanOrEqual(1);
        expect(concurrency * bufferBytes).toBeLessThanOrEqual(Math.max(16, memory / 2) * MIB);
      }),
    );
  });
});

test('larger files get larger parts', () => {
  const parts = [GIB, 8 * GIB, 200 * GIB, 2_000 * GIB].map((bytes) => planCopy(bytes, 2048).partSize / MIB);
  expect(parts).toEqual([16, 32, 64, 205]);
});

test('a function of 2 GB copies six parts of 64 MiB at a time', () => {
  expect(planWorker(64 * MIB, 2048)).toEqual({ concurrency: 6, bufferBytes: 64 * MIB });
});

test('more than S3 stores in one object is no plan', () => {
  expect(() => planCopy(MAX_OBJECT_BYTES + 1, 2048)).toThrow(RangeError);
});
