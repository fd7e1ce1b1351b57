import { concurrencyFor, MIN_PART_BYTES, planCopy } from '../../lambdas/domain/copying/copy-plan.ts';

const MIB = 1024 ** 2;

/** Third parties' figures for us-east-1 in November 2026: check before you quote. Dollars. */
const PRICES = { gbSecond: 0.0000133334, put: 0.005 / 1000, write: 0.625e-6 };
/** A Lambda's network, as measured by others: 0.6 Gbit/s. */
const MIB_PER_SECOND = 71;
const INVOCATION_SECONDS = 900;
/** Rows are written about three times per beat of 5 s: the segment, the request, a lease now and then. */
const WRITES_PER_SECOND = 3 / 5;

export type Paper = {
  parts: number;
  partMiB: number;
  segments: number;
  partsAtATime: number;
  workers: number;
  minutes: number;
  /** Of a worker's 15 minutes, for the segments that it gets. */
  invocationsPerSegment: number;
  dollars: { compute: number; requests: number; rows: number; total: number };
};

/** What copying `size` bytes takes on paper: storage and the source's traffic are not in it. */
export function onPaper(size: number, { workers, memoryMiB }: { workers: number; memoryMiB: number }): Paper {
  const limits = { memoryMiB, minPartBytes: MIN_PART_BYTES };
  const plan = planCopy(size, limits);
  const workerSeconds = size / MIB / MIB_PER_SECOND;
  const rounds = Math.ceil(plan.segments / workers);
  const segmentSeconds = workerSeconds / plan.segments;
  const compute = workerSeconds * (memoryMiB / 1024) * PRICES.gbSecond;
  // One PUT per part; listing each segment once, and all parts at the end.
  const requests = (plan.parts + plan.segments + plan.parts / 1000 + 5) * PRICES.put;
  const rows = (workerSeconds * WRITES_PER_SECOND + plan.segments * 6) * PRICES.write;
  return {
    parts: plan.parts,
    partMiB: plan.partSize / MIB,
    segments: plan.segments,
    partsAtATime: concurrencyFor(plan.partSize, limits),
    workers,
    minutes: (rounds * segmentSeconds) / 60,
    invocationsPerSegment: Math.ceil(segmentSeconds / INVOCATION_SECONDS),
    dollars: { compute, requests, rows, total: compute + requests + rows },
  };
}
