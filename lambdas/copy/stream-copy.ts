import { type CopyRow, placed } from '../domain/copying/copy.ts';
import { remedyFor } from '../domain/copying/copy-fault.ts';
import { planCopy } from '../domain/copying/copy-plan.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { Lease } from '../engine/lease.ts';
import { completeCopy } from './complete-copy.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { copyPart, type PartRoute } from './copy-parts.ts';
import { faultOf } from './fault-of.ts';
import { putCopy } from './put-copy.ts';
import { SourceError } from './source/source-error.ts';
import type { UploadPlace } from './uploads/s3-call.ts';

/** The length that is assumed of a source that states none, bytes: more than one worker can stream in its life. */
const UNKNOWN_SIZE = 128 * 1024 ** 3;

/**
 * Copies a source whose ranges are missing or unreliable: one worker, one answer, from the first byte to
 * an end that is proven. While one part is sent the next is read.
 */
export async function streamCopy(
  use: CopyDependencies,
  claim: Claim<CopyRow>,
  chunks: AsyncIterable<Buffer>,
  lease: Lease,
): Promise<void> {
  const { uploads, shown, partLimits } = use;
  const { row } = claim;
  const { target, content } = placed(row);
  await shown.showBeginning(row.requestId, content.size);

  const { partSize } = planCopy(content.size ?? UNKNOWN_SIZE, partLimits);
  const { signal } = lease;
  const begin = async () => ({
    ...target,
    uploadId: await uploads.begin(target, row, content.contentType, signal),
  });
  const parts = new PartStream(use, begin, partSize, shown.showingStream(row.requestId), signal);
  try {
    for await (const chunk of chunks) await parts.write(chunk);
    if (!parts.upload) return await putCopy(use, claim, parts.rest, alreadyThere, lease);
    await parts.end();
  } catch (error) {
    throw interrupted(signal.aborted ? signal.reason : error);
  } finally {
    await parts.release();
  }
  const { upload, size } = parts;
  await completeCopy(use, claim, { id: upload.uploadId, size, partSize, segments: 1 }, lease);
}

/** A fault that may pass still ends the stream: only a new one from the first byte helps. */
function interrupted(error: unknown): unknown {
  const fault = faultOf(error);
  if (!fault || remedyFor(fault.kind) !== 'wait') return error;
  const reason = `the source serves no usable ranges, and its one stream broke off: ${fault.reason}`;
  return new SourceError({ ...fault, kind: 'interrupted', reason });
}

/** Streamed bytes cannot be fetched again. */
const alreadyThere: PartRoute['fetch'] = async (_range, into) => {
  into.filled = into.bytes.length;
};

/** Cuts a stream into parts: one is filled while another is sent. The first full one begins the upload. */
class PartStream {
  readonly #use: CopyDependencies;
  readonly #begin: () => Promise<UploadPlace>;
  readonly #partSize: number;
  readonly #onStored: (bytes: number) => Promise<void>;
  readonly #signal: AbortSignal;
  #filling: Buffer;
  #filled = 0;
  #number = 1;
  #sending: Promise<void> = Promise.resolve();
  size = 0;
  upload: UploadPlace | undefined;

  constructor(
    use: CopyDependencies,
    begin: () => Promise<UploadPlace>,
    partSize: number,
    onStored: (bytes: number) => Promise<void>,
    signal: AbortSignal,
  ) {
    this.#use = use;
    this.#begin = begin;
    this.#partSize = partSize;
    this.#onStored = onStored;
    this.#signal = signal;
    this.#filling = use.buffers.take(partSize);
  }

  /** What has been read since the last full part. */
  get rest(): Buffer {
    return this.#filling.subarray(0, this.#filled);
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
    this.upload ??= await this.#begin();
    const { upload } = this;
    const { buffers, uploads, sender, sleep, count } = this.#use;
    const stored = this.size + this.#filled;
    const [body, length, number, signal] = [this.#filling, this.#filled, this.#number, this.#signal];
    this.size += length;
    this.#number++;
    this.#filled = 0;
    this.#filling = buffers.take(this.#partSize);
    const route = {
      fetch: alreadyThere,
      store: async (part: number, bytes: Buffer, crc: number) => {
        await sender.send(await uploads.signPart(upload, part, crc), bytes, signal);
        count('BytesCopied', length);
        await this.#onStored(stored);
      },
    };
    this.#sending = copyPart({ number, start: 0, length }, body, { route, signal, sleep }).finally(() =>
      buffers.give(body),
    );
    // The next `await` of it throws its failure.
    this.#sending.catch(() => {});
  }
}
