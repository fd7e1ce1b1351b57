import { type Resolve, resolveByDns } from '../../adapters/http/guarded-lookup.ts';
import { createSafeHttp, type OpenAnswer } from '../../adapters/http/safe-http.ts';
import { MAX_SOURCE_URL_LENGTH } from '../../domain/http/target-url.ts';
import { createAnswerChunks } from './answer-chunks.ts';
import { createConnections } from './connections.ts';
import { createOpenStream } from './open-stream.ts';
import { createProbe } from './probe.ts';
import { createReadRange } from './read-range.ts';
import { createRedirects } from './redirects.ts';

export type SourceOptions = {
  /** Only locally: admits loopback addresses, and plain http to them. */
  readonly allowLoopback: boolean;
  readonly now: () => number;
  /** How long an answer may bring no byte before it is given up, ms. */
  readonly stallMs?: number;
  readonly resolve?: Resolve;
  /** Certificates to trust in place of the well-known ones (PEM). */
  readonly ca?: string;
};

export type Source = ReturnType<typeof createSource>;

const STALL_MS = 30_000;
/** The longest that one streamed answer may take: the longest time-out of a function. */
const STREAM_MS = 900_000;

/**
 * Reads a video by its signed URL: `https` and public addresses only, checked on every connection
 * and every redirect. Throws nothing but SourceError.
 */
export function createSource({
  allowLoopback,
  now,
  stallMs = STALL_MS,
  resolve = resolveByDns(),
  ca,
}: SourceOptions) {
  const safeHttp = createSafeHttp({ allowLoopback, maxUrlLength: MAX_SOURCE_URL_LENGTH, resolve, ca });
  const connections = createConnections({ allowLoopback, resolve, ca, stallMs });
  const access = {
    following: createRedirects({ allowLoopback, maxLength: MAX_SOURCE_URL_LENGTH }),
    open(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<OpenAnswer> {
      const limits = { timeoutMs: STREAM_MS, headersTimeoutMs: stallMs, signal };
      return safeHttp.open({ method: 'GET', url, headers, ...limits });
    },
    connections,
    chunks: createAnswerChunks(stallMs),
    now,
  };

  function close(): void {
    safeHttp.close();
    connections.close();
  }

  return {
    probe: createProbe(access),
    read: createReadRange(access),
    stream: createOpenStream(access),
    close,
  };
}
