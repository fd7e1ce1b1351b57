import { contentLength, isWhole, statusFault, text } from '../../domain/copying/source-answer.ts';
import { type FileFacts, factsOf } from './file-facts.ts';
import type { SourceAccess } from './source-access.ts';
import { broken, SourceError, unusable } from './source-error.ts';

/** The whole file in one answer, so that its bytes are of one version whatever its other answers say. */
type Stream = FileFacts & {
  /** From the first byte to a proven end; to be read once. */
  readonly chunks: AsyncGenerator<Buffer>;
  /** Closes the answer; call it in any case. */
  close(): void;
};

export function createOpenStream({ following, open, chunks, now }: SourceAccess) {
  /** Opens the whole, of a source that serves no ranges or none that can be relied on. */
  return async function openStream(url: string, signal: AbortSignal): Promise<Stream> {
    const answer = await following(url, async (target) => {
      const opened = await open(target, {}, signal);
      if (isWhole(opened.statusCode, opened.headers)) return opened;
      opened.message.destroy();
      throw new SourceError(statusFault(opened.statusCode, opened.headers, now()));
    });
    const close = () => void answer.message.destroy();
    try {
      const { headers } = answer;
      const size = contentLength(headers);
      // A connection that just closes may have been cut: no proof of an end.
      if (size === undefined && !/\bchunked\b/i.test(text(headers['transfer-encoding']) ?? '')) {
        throw unusable('the source says neither how long it is nor when it has ended');
      }
      const rest = chunks.watched(answer);
      const first: Buffer[] = [];
      const facts = factsOf(headers, size, await chunks.firstBytes(rest, answer, first));
      return { ...facts, chunks: whole(first, rest, size), close };
    } catch (error) {
      close();
      throw error;
    }
  };
}

async function* whole(first: readonly Buffer[], rest: AsyncGenerator<Buffer>, size: number | undefined) {
  let received = 0;
  for (const chunk of first) {
    received += chunk.length;
    yield chunk;
  }
  for await (const chunk of rest) {
    received += chunk.length;
    yield chunk;
  }
  if (received !== (size ?? received)) throw broken('the source ended early');
}
