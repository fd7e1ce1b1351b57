import { crc32 } from 'node:zlib';
import { backoff } from '../domain/backoff.ts';
import { mayPassSoon } from '../domain/copying/copy-fault.ts';
import type { ByteRange } from '../domain/copying/source-answer.ts';
import type { Buffers } from './buffers.ts';
import { faultOf, isFault } from './fault-of.ts';
import { createSemaphore } from './semaphore.ts';
import type { Filling } from './source/range-connection.ts';

type PartJob = ByteRange & { readonly number: number };

/** From the source to the bucket; both reject with the error that they met. */
export type PartRoute = {
  readonly fetch: (range: ByteRange, into: Filling, signal: AbortSignal) => Promise<void>;
  readonly store: (part: number, body: Buffer, crc: number, signal: AbortSignal) => Promise<void>;
};

export type PartsOptions = {
  readonly route: PartRoute;
  /** Parts at a time; each has its own buffer. */
  readonly concurrency: number;
  readonly buffers: Buffers;
  readonly signal: AbortSignal;
  /** When the worker must have stopped, ms since epoch: no part is begun that may not end before. */
  readonly deadline: number;
  readonly now: () => number;
  readonly onStored: (job: PartJob) => void;
  readonly sleep: (ms: number) => Promise<void>;
};

/** Tries of a part by one worker that bring no further byte. */
const PART_TRIES = 4;
/** A longer wait is not worth a worker's time. */
const LONGEST_WAIT_MS = 10_000;
const WAITS = { firstMs: 500, longestMs: LONGEST_WAIT_MS };
/** How long a part is expected to take before the first one is measured. */
const FIRST_PART_MS = 20_000;

/**
 * Copies parts, several at a time: each is fetched into a buffer, its CRC computed, and sent. Errors
 * that may pass are retried here. After any other error each runner finishes its present part, and the
 * error is thrown. Returns whether all parts are stored.
 */
export async function copyParts(jobs: readonly PartJob[], options: PartsOptions): Promise<boolean> {
  const { concurrency, signal, deadline, now, onStored, buffers } = options;
  // Runners that begin together would all fetch, then all send. So one fewer than all may fetch at a time.
  const fetching = createSemaphore(Math.max(1, concurrency - 1));
  const { fetch } = options.route;
  const route: PartRoute = { ...options.route, fetch: (...given) => fetching(() => fetch(...given)) };
  const waiting = [...jobs].reverse();
  let longestMs = FIRST_PART_MS;
  let failure: { error: unknown } | undefined;

  const runner = async () => {
    while (!failure && !signal.aborted && now() + longestMs < deadline) {
      const job = waiting.pop();
      if (!job) return;
      const buffer = buffers.take(job.length);
      const begunAt = now();
      try {
        await copyPart(job, buffer, { ...options, route });
        longestMs = Math.max(longestMs, 2 * (now() - begunAt));
        onStored(job);
      } catch (error) {
        waiting.push(job);
        failure ??= { error };
      } finally {
        buffers.give(buffer);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, runner));
  if (failure) throw failure.error;
  signal.throwIfAborted();
  return waiting.length === 0;
}

type Means = Pick<PartsOptions, 'route' | 'signal' | 'sleep'>;

/** Copies one part through `buffer`; goes on where a broken connection left it. */
export async function copyPart(job: PartJob, buffer: Buffer, { route, signal, sleep }: Means): Promise<void> {
  const into: Filling = { bytes: buffer.subarray(0, job.length), filled: 0 };
  await persist({ signal, sleep, progress: () => into.filled }, async () => {
    if (into.filled < job.length) await route.fetch(job, into, signal);
    try {
      await route.store(job.number, into.bytes, crc32(into.bytes), signal);
    } catch (error) {
      // The bytes may have been corrupted in this buffer, so they are fetched again.
      if (isFault(error, 'corrupt')) into.filled = 0;
      throw error;
    }
  });
}

/** Retries errors that may pass, up to {@link PART_TRIES} times without progress. */
async function persist(
  { signal, sleep, progress }: Pick<Means, 'signal' | 'sleep'> & { progress: () => number },
  attempt: () => Promise<void>,
): Promise<void> {
  for (let failures = 1; ; failures++) {
    const before = progress();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const wait = waitBefore(error, failures);
      if (progress() > before) failures = 1;
      if (wait === undefined || failures >= PART_TRIES) throw error;
      await sleep(wait);
      signal.throwIfAborted();
    }
  }
}

/** How long to wait before the same again, ms; undefined when another try by this worker is of no use. */
function waitBefore(error: unknown, failures: number): number | undefined {
  const fault = faultOf(error);
  const { retryAfterMs = 0 } = fault ?? {};
  if (!fault || !mayPassSoon(fault.kind) || retryAfterMs > LONGEST_WAIT_MS) return undefined;
  return Math.max(backoff(failures, WAITS), retryAfterMs);
}
