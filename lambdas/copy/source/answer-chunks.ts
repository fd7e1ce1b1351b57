import type { OpenAnswer } from '../../adapters/http/safe-http.ts';
import { asSourceError, broken, SourceError } from './source-error.ts';

export type AnswerChunks = ReturnType<typeof createAnswerChunks>;

/** How many bytes of a file are looked at before it is copied. */
export const PROBE_BYTES = 1024;

/**
 * Reads the bodies of answers.
 *
 * @param stallMs how long an answer may bring no byte before it is given up, ms
 */
export function createAnswerChunks(stallMs: number) {
  /** The chunks of an answer; gives it up when they stop coming. */
  async function* watched({ message, explain }: OpenAnswer): AsyncGenerator<Buffer> {
    const stalled = () => message.destroy(broken(`the source sent nothing for ${stallMs} ms`));
    let timer = setTimeout(stalled, stallMs);
    try {
      for await (const chunk of message as AsyncIterable<Buffer>) {
        clearTimeout(timer);
        yield chunk;
        timer = setTimeout(stalled, stallMs);
      }
    } catch (error) {
      throw asSourceError(error instanceof SourceError ? error : explain(error), 'the source');
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The first bytes of an answer, in however many chunks they come. Gives up after twice the stall time.
   *
   * @param read where the chunks go that were read for them
   */
  async function firstBytes(
    chunks: AsyncGenerator<Buffer>,
    { message }: OpenAnswer,
    read: Buffer[] = [],
  ): Promise<Buffer> {
    const mostMs = 2 * stallMs;
    const late = () => message.destroy(broken(`the source took ${mostMs} ms for its first bytes`));
    const timer = setTimeout(late, mostMs);
    try {
      for (let length = 0; length < PROBE_BYTES; ) {
        const { done, value } = await chunks.next();
        if (done) break;
        read.push(value);
        length += value.length;
      }
    } finally {
      clearTimeout(timer);
    }
    return Buffer.concat(read).subarray(0, PROBE_BYTES);
  }

  return { watched, firstBytes };
}
