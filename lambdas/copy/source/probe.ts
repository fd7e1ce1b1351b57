import type { OpenAnswer } from '../../adapters/http/safe-http.ts';
import {
  contentLength,
  contentRange,
  refusesRanges,
  statusFault,
  text,
} from '../../domain/copying/source-answer.ts';
import { PROBE_BYTES } from './answer-chunks.ts';
import { EMPTY, type FileFacts, factsOf } from './file-facts.ts';
import type { SourceAccess } from './source-access.ts';
import { busy, SourceError } from './source-error.ts';

type Probe = FileFacts & {
  /** Whether it serves ranges of a known whole, so that many workers can copy it. */
  readonly ranged: boolean;
};

export function createProbe({ following, open, chunks, now }: SourceAccess) {
  /** Asks for the first bytes, since a signed URL does not allow HEAD: they show what the source is, and how it serves. */
  return async function probe(url: string, signal: AbortSignal): Promise<Probe> {
    return following(url, async (target) => {
      const ranged = await open(target, { range: `bytes=0-${PROBE_BYTES - 1}` }, signal);
      if (!refusesRanges(ranged.statusCode, ranged.headers)) return probed(ranged);
      ranged.message.destroy();
      return probed(await open(target, {}, signal));
    });
  };

  async function probed(answer: OpenAnswer): Promise<Probe> {
    const { statusCode, headers, message } = answer;
    try {
      if (statusCode === 416 && text(headers['content-range']) === 'bytes */0') throw busy(EMPTY);
      if (statusCode !== 206 && statusCode !== 200)
        throw new SourceError(statusFault(statusCode, headers, now()));
      const size = statusCode === 206 ? contentRange(headers)?.size : contentLength(headers);
      const facts = factsOf(headers, size, await chunks.firstBytes(chunks.watched(answer), answer));
      return { ...facts, ranged: statusCode === 206 && size !== undefined };
    } finally {
      message.destroy();
    }
  }
}
