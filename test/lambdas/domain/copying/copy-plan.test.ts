import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  concurrencyFor,
  largestCopy,
  MAX_PARTS,
  MIN_PART_BYTES,
  partRange,
  planCopy,
  segmentParts,
} from '../../../../lambdas/domain/copying/copy-plan.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const DEPLOYED = { memoryMiB: 1024, minPartBytes: MIN_PART_BYTES };

const GIVEN = fc.integer({ min: 128, max: 10_240 }).chain((memoryMiB) => {
  const limits = { memoryMiB, minPartBytes: MIN_PART_BYTES };
  const largest = largestCopy(limits);
  /** All magnitudes alike, up to the largest that this memory can copy. */
  const size = fc.oneof(
    fc.integer({ min: 1, max: largest }),
    fc
      .double({ min: 0, max: Math.log2(largest), noNaN: true })
      .map((power) => Math.max(1, Math.floor(2 ** power))),
    fc.integer({ min: 1, max: MAX_PARTS }).map((n) => Math.min(largest, n * 16 * MIB)),
    fc.constant(largest),
  );
  return fc.tuple(size, fc.constant(limits));
});

describe('a plan, for any size and memory', () => {
  test('stays within the limits of S3', () => {
    fc.assert(
      fc.property(GIVEN, ([bytes, limits]) => {
        const { partSize, parts } = planCopy(bytes, limits);
        expect(parts).toBeLessThanOrEqual(MAX_PARTS);
        expect(partSize).toBeGreaterThanOrEqual(MIN_PART_BYTES);
        expect(Number.isInteger(partSize)).toBe(true);
      }),
    );
  });

  test('covers every byte once, in parts and in segments', () => {
    fc.assert(
      fc.property(GIVEN, ([bytes, limits]) => {
        const plan = planCopy(bytes, limits);
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
      fc.property(GIVEN, ([bytes, limits]) => {
        const plan = planCopy(bytes, limits);
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
      fc.property(GIVEN, ([bytes, limits]) => {
        const { partSize } = planCopy(bytes, limits);
        const concurrency = concurrencyFor(partSize, limits);
        expect(concurrency).toBeGreaterThanOrEqual(2);
        expect(concurrency * partSize).toBeLessThanOrEqual(Math.max(10, limits.memoryMiB / 2) * MIB);
      }),
    );
  });
});

test('larger files get larger parts', () => {
  const parts = [GIB, 8 * GIB, 200 * GIB, 1_000 * GIB].map(
    (bytes) => planCopy(bytes, DEPLOYED).partSize / MIB,
  );
  expect(parts).toEqual([32, 64, 64, 103]);
});

test('a function of 1 GiB copies five parts of 64 MiB at a time, and about 1.5 TiB at most', () => {
  expect(concurrencyFor(64 * MIB, DEPLOYED)).toBe(5);
  expect(largestCopy(DEPLOYED) / 1024 ** 4).toBeCloseTo(1.5, 1);
});
