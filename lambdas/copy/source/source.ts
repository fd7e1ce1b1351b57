import type { LookupFunction } from 'node:net';
import { guardedLookup, type Resolve, resolveByDns } from '../../adapters/http/guarded-lookup.ts';
import { createSafeHttp, type OpenAnswer } from '../../adapters/http/safe-http.ts';
import {
  type ByteRange,
  contentLength,
  contentRange,
  encodingFault,
  type Headers,
  isStrong,
  type Known,
  rangeFault,
  statusFault,
  text,
} from '../../domain/copying/source-answer.ts';
import { notAVideo } from '../../domain/copying/video-type.ts';
import { isLoopbackAddress, isPublicAddress } from '../../domain/http/public-address.ts';
import { MAX_SOURCE_URL_LENGTH } from '../../domain/http/target-url.ts';
import { ChunkedAnswer, type Filling, RangeConnection } from './range-connection.ts';
import { createRedirects } from './redirects.ts';
import { asTrouble, broken, SourceTrouble, unusable } from './source-error.ts';

export type Probe = {
  /** Bytes, where the source says it. */
  readonly size: number | undefined;
  readonly etag: string | undefined;
  readonly contentType: string | undefined;
  /** The first bytes. */
  readonly head: Buffer;
  /** Whether it serves ranges of a known whole, so that many workers can copy it. */
  readonly ranged: boolean;
};

export type SourceOptions = {
  /** Only locally: admits loopback addresses, and plain http to them. */
  readonly allowLoopback: boolean;
  readonly now: () => number;
  /** Without a byte for so long an answer is given up, ms. */
  readonly stallMs?: number;
  readonly resolve?: Resolve;
  /** Certificates to trust in place of the well-known ones (PEM). */
  readonly ca?: string;
};

export type Source = ReturnType<typeof createSource>;

const PROBE_BYTES = 1024;
const STALL_MS = 30_000;
/** The longest that one streamed answer may take: a Lambda's life. */
const STREAM_MS = 900_000;

/**
 * Reads a video by its signed URL: `https` and public addresses only, checked on every connection
 * and every redirect. Throws nothing but {@link SourceTrouble}.
 */
export function createSource({
  allowLoopback,
  now,
  stallMs = STALL_MS,
  resolve = resolveByDns(),
  ca,
}: SourceOptions) {
  const safeHttp = createSafeHttp({ allowLoopback, maxUrlLength: MAX_SOURCE_URL_LENGTH, resolve, ca });
  const lookups: Record<string, LookupFunction> = {
    'https:': guardedLookup(resolve, (a) => isPublicAddress(a) || (allowLoopback && isLoopbackAddress(a))),
    'http:': guardedLookup(resolve, isLoopbackAddress),
  };
  const idle = new Map<string, RangeConnection[]>();
  const following = createRedirects({ allowLoopback, maxLength: MAX_SOURCE_URL_LENGTH });
  /** Origins whose ranges come in chunks. */
  const chunked = new Set<string>();

  /**
   * Asks for the first bytes, since a HEAD is not signed for: what the source is, and how it serves.
   */
  async function probe(url: string, signal: AbortSignal): Promise<Probe> {
    return following(url, async (target) => {
      const answer = await open(target, { range: `bytes=0-${PROBE_BYTES - 1}` }, signal);
      try {
        return await probed(answer);
      } finally {
        answer.message.destroy();
      }
    });
  }

  async function probed(answer: OpenAnswer): Promise<Probe> {
    const { statusCode, headers } = answer;
    if (statusCode === 416 && /^bytes \*\/0$/.test(text(headers['content-range']) ?? '')) {
      throw unusable('the source is empty');
    }
    if (statusCode !== 206 && statusCode !== 200)
      throw new SourceTrouble(statusFault(statusCode, headers, now()));
    const encoding = encodingFault(headers);
    if (encoding) throw new SourceTrouble(encoding);
    const head = await firstBytes(answer);
    const contentType = headers['content-type'];
    const reason = notAVideo(contentType, head);
    if (reason) throw unusable(reason);
    const size = statusCode === 206 ? contentRange(headers)?.size : contentLength(headers);
    if (size === 0 || head.length === 0) throw unusable('the source is empty');
    const ranged = statusCode === 206 && size !== undefined;
    return { size, etag: headers.etag, contentType, head, ranged };
  }

  /**
   * Reads a range into a buffer, on from what is in it already: after a trouble, calling again goes
   * on where it broke off.
   */
  async function read(
    url: string,
    range: ByteRange,
    known: Known,
    into: Filling,
    signal: AbortSignal,
  ): Promise<void> {
    await following(url, async (target) => {
      const { origin } = new URL(target);
      if (!chunked.has(origin)) {
        try {
          return await readPlain(new URL(target), range, known, into, signal);
        } catch (error) {
          if (!(error instanceof ChunkedAnswer)) throw error;
          chunked.add(origin);
        }
      }
      await readChunked(target, range, known, into, signal);
    });
  }

  async function readPlain(
    url: URL,
    range: ByteRange,
    known: Known,
    into: Filling,
    signal: AbortSignal,
  ): Promise<void> {
    const rest = restOf(range, into);
    const connection = connect(url);
    const abort = () => connection.close(broken('called off'));
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      await connection.get({
        target: `${url.pathname}${url.search}`,
        headers: rangeHeaders(rest, known),
        into,
        judge: judging(rest, known),
      });
    } catch (error) {
      if (connection.mayBeStale && !signal.aborted && isBroken(error)) {
        return readPlain(url, range, known, into, signal);
      }
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    if (connection.isOpen) pool(url.origin).push(connection);
  }

  async function readChunked(
    url: string,
    range: ByteRange,
    known: Known,
    into: Filling,
    signal: AbortSignal,
  ): Promise<void> {
    const rest = restOf(range, into);
    const answer = await open(url, rangeHeaders(rest, known), signal);
    try {
      judging(rest, known)(answer.statusCode, answer.headers);
      for await (const chunk of watched(answer)) {
        if (chunk.length > into.bytes.length - into.filled)
          throw broken('the source sent more than the range');
        chunk.copy(into.bytes, into.filled);
        into.filled += chunk.length;
      }
      if (into.filled < into.bytes.length) throw broken('the source sent less than the range');
    } finally {
      answer.message.destroy();
    }
  }

  /** The whole, from its first byte to a proven end, of a source that serves no ranges. */
  async function* stream(url: string, known: Known, signal: AbortSignal): AsyncGenerator<Buffer> {
    const answer = await following(url, async (target) => {
      const opened = await open(target, ifMatch(known), signal);
      const fault =
        opened.statusCode === 200
          ? encodingFault(opened.headers)
          : statusFault(opened.statusCode, opened.headers, now());
      if (!fault) return opened;
      opened.message.destroy();
      throw new SourceTrouble(fault);
    });
    try {
      if (known.etag !== undefined && answer.headers.etag !== known.etag) {
        throw new SourceTrouble({ kind: 'changed', reason: 'the source has other bytes now (ETag)' });
      }
      const length = contentLength(answer.headers);
      // A connection that just closes may have been cut: no proof of an end.
      if (length === undefined && !/\bchunked\b/i.test(text(answer.headers['transfer-encoding']) ?? '')) {
        throw unusable('the source says neither how long it is nor when it has ended');
      }
      let received = 0;
      for await (const chunk of watched(answer)) {
        received += chunk.length;
        yield chunk;
      }
      if (received !== (length ?? received)) throw broken('the source ended early');
    } finally {
      answer.message.destroy();
    }
  }

  function close(): void {
    safeHttp.close();
    for (const connections of idle.values()) for (const connection of connections) connection.close();
    idle.clear();
  }

  function judging(range: ByteRange, known: Known): (status: number, headers: Headers) => void {
    return (status, headers) => {
      const fault = rangeFault(status, headers, range, known, now());
      if (fault) throw new SourceTrouble(fault);
    };
  }

  function connect(url: URL): RangeConnection {
    for (;;) {
      const connection = pool(url.origin).pop();
      if (!connection) break;
      if (connection.isOpen) return connection;
    }
    return new RangeConnection({ url, lookup: lookups[url.protocol] as LookupFunction, ca, stallMs });
  }

  function pool(origin: string): RangeConnection[] {
    const connections = idle.get(origin) ?? [];
    idle.set(origin, connections);
    return connections;
  }

  async function open(
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<OpenAnswer> {
    const limits = { timeoutMs: STREAM_MS, headersTimeoutMs: stallMs, signal };
    return safeHttp.open({ method: 'GET', url, headers, ...limits });
  }

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
      throw asTrouble(error instanceof SourceTrouble ? error : explain(error), 'the source');
    } finally {
      clearTimeout(timer);
    }
  }

  /** So few bytes come soon or not at all, however they drip. */
  async function firstBytes(answer: OpenAnswer): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    const mostMs = 2 * stallMs;
    const late = () => answer.message.destroy(broken(`the source took ${mostMs} ms for its first bytes`));
    const timer = setTimeout(late, mostMs);
    try {
      for await (const chunk of watched(answer)) {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= PROBE_BYTES) break;
      }
    } finally {
      clearTimeout(timer);
    }
    return Buffer.concat(chunks).subarray(0, PROBE_BYTES);
  }

  return { probe, read, stream, close };
}

function restOf(range: ByteRange, into: Filling): ByteRange {
  return { start: range.start + into.filled, length: range.length - into.filled };
}

const ifMatch = ({ etag }: Known): Record<string, string> => (isStrong(etag) ? { 'if-match': etag } : {});

const rangeHeaders = (range: ByteRange, known: Known): Record<string, string> => ({
  range: `bytes=${range.start}-${range.start + range.length - 1}`,
  'accept-encoding': 'identity',
  ...ifMatch(known),
});

const isBroken = (error: unknown): boolean => error instanceof SourceTrouble && error.fault.kind === 'broken';
