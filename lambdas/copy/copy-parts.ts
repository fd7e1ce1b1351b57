import { crc32 } from 'node:zlib';
import type { ByteRange } from '../domain/copying/source-answer.ts';
import type { Buffers } from './buffers.ts';
import { createGate } from './semaphore.ts';
import type { Filling } from './source/range-connection.ts';
import { SourceTrouble } from './source/source-error.ts';
import { SinkTrouble } from './uploads/bucket-error.ts';

export type PartJob = ByteRange & { readonly number: number };

/** From the source to the bucket; both reject with the trouble that they met. */
export type PartRoute = {
  readonly fetch: (range: ByteRange, into: Filling, signal: AbortSignal) => Promise<void>;
  readonly store: (part: number, body: Buffer, crc: number, signal: AbortSignal) => Promise<void>;
  /** Stores a part that comes in pieces, and returns the checksum that the bucket computed, if it says it. */
  readonly storePieces?: (job: PartJob, pieces: AsyncIterable<Buffer>) => Promise<number | undefined>;
};

export type PartsOptions = {
  readonly route: PartRoute;
  /** Parts at a time; each has a buffer of its own. */
  readonly concurrency: number;
  /** Larger parts pass through their lane's buffer in pieces. */
  readonly bufferBytes?: number;
  readonly buffers: Buffers;
  readonly signal: AbortSignal;
  /** When the worker must have stopped, ms since epoch: no part is begun that may not end before. */
  readonly deadline: number;
  readonly now: () => number;
  readonly onStored: (job: PartJob) => void;
  readonly pause: (ms: number) => Promise<void>;
};

/** Tries of a part by one worker without a byte more. */
const PART_TRIES = 4;
const FIRST_PAUSE_MS = 500;
/** A longer wait is not worth a worker's time. */
const LONGEST_PAUSE_MS = 10_000;
/** What a part is given before one has shown how long it takes. */
const FIRST_PART_MS = 20_000;

/**
 * Copies parts, several at a time: each is fetched into a buffer, its CRC computed, and sent. What
 * may pass is tried again here; any other trouble ends all lanes after their present part, and is
 * thrown. Returns whether all parts are stored.
 */
export async function copyParts(jobs: readonly PartJob[], options: PartsOptions): Promise<boolean> {
  const { concurrency, bufferBytes = Number.POSITIVE_INFINITY } = options;
  const { signal, deadline, now, onStored, buffers } = options;
  // Lanes that begin together would fetch together, then send together: one may not fetch meanwhile.
  const fetching = createGate(Math.max(1, concurrency - 1));
  const { fetch } = options.route;
  const route: PartRoute = { ...options.route, fetch: (...given) => fetching(() => fetch(...given)) };
  const waiting = [...jobs].reverse();
  let longestMs = FIRST_PART_MS;
  let failure: { error: unknown } | undefined;

  const lane = async () => {
    while (!failure && !signal.aborted && now() + longestMs < deadline) {
      const job = waiting.pop();
      if (!job) return;
      const buffer = buffers.take(Math.min(job.length, bufferBytes));
      const begunAt = now();
      try {
        const copy = job.length > buffer.length ? copyLargePart : copyPart;
        await copy(job, buffer, { ...options, route });
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
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, lane));
  if (failure) throw failure.error;
  signal.throwIfAborted();
  return waiting.length === 0;
}

type Means = Pick<PartsOptions, 'route' | 'signal' | 'pause'>;

/** Copies one part through `buffer`; goes on where a broken connection left it. */
export async function copyPart(job: PartJob, buffer: Buffer, { route, signal, pause }: Means): Promise<void> {
  const into: Filling = { bytes: buffer.subarray(0, job.length), filled: 0 };
  await persist({ signal, pause, progress: () => into.filled }, async () => {
    if (into.filled < job.length) await route.fetch(job, into, signal);
    try {
      await route.store(job.number, into.bytes, crc32(into.bytes), signal);
    } catch (error) {
      // The bytes may have been spoilt here, so they are fetched anew.
      if (error instanceof SinkTrouble && error.fault === 'corrupt') into.filled = 0;
      throw error;
    }
  });
}

/**
 * Copies a part that is larger than memory allows, piece by piece. Its checksum is known only at its
 * end, so it is compared with the one that the bucket computed, and demanded of the whole object.
 */
async function copyLargePart(job: PartJob, buffer: Buffer, means: Means): Promise<void> {
  const { storePieces } = means.route;
  if (!storePieces) throw new Error('parts of this size need a route for pieces');
  await persist({ ...means, progress: () => 0 }, async () => {
    let crc = 0;
    async function* pieces() {
      for (let at = 0; at < job.length; at += buffer.length) {
        const piece = await fetchPiece(job, at, buffer, means);
        crc = crc32(piece, crc);
        yield piece;
      }
    }
    const stored = await storePieces(job, pieces());
    if (stored !== undefined && stored !== crc) throw new SinkTrouble('corrupt', 'another checksum');
  });
}

async function fetchPiece(
  job: PartJob,
  at: number,
  buffer: Buffer,
  { route, signal, pause }: Means,
): Promise<Buffer> {
  const range = { start: job.start + at, length: Math.min(buffer.length, job.length - at) };
  const into: Filling = { bytes: buffer.subarray(0, range.length), filled: 0 };
  await persist({ signal, pause, progress: () => into.filled }, () => route.fetch(range, into, signal));
  return into.bytes;
}

/** Tries again what may pass, {@link PART_TRIES} times without progress. */
async function persist(
  { signal, pause, progress }: Pick<Means, 'signal' | 'pause'> & { progress: () => number },
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
      await pause(wait);
      signal.throwIfAborted();
    }
  }
}

/** How long to wait before the same again, ms; undefined when that is of no use. */
function waitBefore(error: unknown, failures: number): number | undefined {
  const backoff = FIRST_PAUSE_MS * 2 ** (failures - 1);
  if (error instanceof SinkTrouble) {
    return error.fault === 'busy' || error.fault === 'corrupt' ? backoff : undefined;
  }
  if (!(error instanceof SourceTrouble)) return undefined;
  const { kind, retryAfterMs = 0 } = error.fault;
  if (kind !== 'busy' && kind !== 'broken') return undefined;
  return retryAfterMs <= LONGEST_PAUSE_MS ? Math.max(backoff, retryAfterMs) : undefined;
}
