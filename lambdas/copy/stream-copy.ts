import type { Claim } from '../adapters/claims.ts';
import { unusable } from '../adapters/source/source-trouble.ts';
import { type CopyRow, placed } from '../domain/copy.ts';
import { planCopy, planWorker } from '../domain/copy-plan.ts';
import { completeCopy } from './complete-copy.ts';
import { copyPart } from './copy-parts.ts';
import type { CopyDependencies } from './dependencies.ts';
import type { Lease } from './lease.ts';

/** A source of unknown length gets parts as for so many bytes: more than one worker streams in its life. */
const UNKNOWN_SIZE = 128 * 1024 ** 3;
/** Streams of which one copy may get bytes: each fetches everything again. */
const MAX_STREAMS = 4;

/**
 * Copies a source that serves no ranges, or does not say how long it is: one worker, one pass, from
 * the first byte to an end that is proven. While one part is sent the next is read.
 */
export async function streamCopy(use: CopyDependencies, claim: Claim<CopyRow>, lease: Lease): Promise<void> {
  const { uploads, copies, source, memoryMiB } = use;
  const { row } = claim;
  const nth = (row.streams ?? 0) + 1;
  const { target, content } = placed(row);
  if (nth > MAX_STREAMS) throw unusable('the source serves no ranges and could not be copied in one go');
  await copies.showBeginning(row.requestId, content.size);

  const budget = planWorker(planCopy(content.size ?? UNKNOWN_SIZE, memoryMiB).partSize, memoryMiB);
  const partSize = budget.bufferBytes;
  const id = await uploads.begin(target, row, content.contentType);
  const parts = new PartStream(use, { ...target, uploadId: id }, partSize, lease.signal);
  try {
    for await (const chunk of source.stream(row.source.url, content, lease.signal)) {
      if (row.streams !== nth) await copies.note(claim, { streams: nth });
      await parts.write(chunk);
    }
    await parts.end();
  } finally {
    await parts.release();
  }
  await completeCopy(use, claim, { id, size: parts.size, partSize, segments: 1 }, lease);
}

/** Cuts a stream into parts, of which one is filled while another is sent. */
class PartStream {
  readonly #use: CopyDependencies;
  readonly #place: { bucket: string; key: string; uploadId: string };
  readonly #partSize: number;
  readonly #signal: AbortSignal;
  #filling: Buffer;
  #filled = 0;
  #number = 1;
  #sending: Promise<void> = Promise.resolve();
  size = 0;

  constructor(
    use: CopyDependencies,
    place: { bucket: string; key: string; uploadId: string },
    partSize: number,
    signal: AbortSignal,
  ) {
    this.#use = use;
    this.#place = place;
    this.#partSize = partSize;
    this.#signal = signal;
    this.#filling = use.buffers.take(partSize);
  }

  async write(chunk: Buffer): Promise<void> {
    for (let from = 0; from < chunk.length; ) {
      const taken = chunk.copy(this.#filling, this.#filled, from, from + this.#partSize - this.#filled);
      from += taken;
      this.#filled += taken;
      if (this.#filled === this.#partSize) await this.#next();
    }
  }

  async end(): Promise<void> {
    if (this.#filled > 0) await this.#next();
    await this.#sending;
  }

  /** Waits for what is under way, and gives the buffers back. */
  async release(): Promise<void> {
    await this.#sending.catch(() => {});
    this.#use.buffers.give(this.#filling);
  }

  async #next(): Promise<void> {
    await this.#sending;
    const { buffers, uploads, sender, pause, count } = this.#use;
    const [body, length, number, signal] = [this.#filling, this.#filled, this.#number, this.#signal];
    this.size += length;
    this.#number++;
    this.#filled = 0;
    this.#filling = buffers.take(this.#partSize);
    const route = {
      fetch: async (_range: unknown, into: { filled: number }) => {
        into.filled = length;
      },
      store: async (part: number, bytes: Buffer, crc: number) => {
        await sender.send(await uploads.signPart(this.#place, part, crc), bytes, signal);
        count('BytesCopied', length);
      },
    };
    this.#sending = copyPart({ number, start: 0, length }, body, { route, signal, pause }).finally(() =>
      buffers.give(body),
    );
    // Its failure is met by whoever awaits it next.
    this.#sending.catch(() => {});
  }
}
