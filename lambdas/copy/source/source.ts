import type { LookupFunction } from 'node:net';
import { guardedLookup, type Resolve, resolveByDns } from '../../adapters/http/guarded-lookup.ts';
import { createSafeHttp, type OpenAnswer } from '../../adapters/http/safe-http.ts';
import { notAVideo } from '../../domain/copying/media-type.ts';
import {
  type ByteRange,
  contentLength,
  contentRange,
  encodingFault,
  type Headers,
  isStrong,
  type Known,
  rangeFault,
  refusesRanges,
  statusFault,
  text,
} from '../../domain/copying/source-answer.ts';
import { isLoopbackAddress, isPublicAddress } from '../../domain/http/public-address.ts';
import { MAX_SOURCE_URL_LENGTH } from '../../domain/http/target-url.ts';
import { type Filling, NotPlain, RangeConnection } from './range-connection.ts';
import { createRedirects } from './redirects.ts';
import { asSourceError, broken, busy, SourceError, unusable } from './source-error.ts';

/** What an answer says of the file. */
export type FileFacts = {
  /** Bytes, where the source says it. */
  readonly size: number | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly contentType: string | undefined;
  /** The first bytes. */
  readonly head: Buffer;
};

type Probe = FileFacts & {
  /** Whether it serves ranges of a known whole, so that many workers can copy it. */
  readonly ranged: boolean;
};

/** The whole file in one answer, so that its bytes are of one version whatever its other answers say. */
type Stream = FileFacts & {
  /** From the first byte to a proven end; to be read once. */
  readonly chunks: AsyncGenerator<Buffer>;
  /** Gives the answer up; to be called in any case. */
  close(): void;
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
/** The longest that one streamed answer may take: the longest time-out of a function. */
const STREAM_MS = 900_000;

/**
 * Reads a video by its signed URL: `https` and public addresses only, checked on every connection
 * and every redirect. Throws nothing but {@link SourceError}.
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
  /** Origins whose answers {@link RangeConnection} does not read. */
  const notPlain = new Set<string>();

  /**
   * Asks for the first bytes, since a HEAD is not signed for: what the source is, and how it serves.
   */
  async function probe(url: string, signal: AbortSignal): Promise<Probe> {
    return following(url, async (target) => {
      const ranged = await open(target, { range: `bytes=0-${PROBE_BYTES - 1}` }, signal);
      if (!refusesRanges(ranged.statusCode, ranged.headers)) return probed(ranged);
      ranged.message.destroy();
      return probed(await open(target, {}, signal));
    });
  }

  async function probed(answer: OpenAnswer): Promise<Probe> {
    const { statusCode, headers, message } = answer;
    try {
      if (statusCode === 416 && text(headers['content-range']) === 'bytes */0') throw busy(EMPTY);
      if (statusCode !== 206 && statusCode !== 200)
        throw new SourceError(statusFault(statusCode, headers, now()));
      const size = statusCode === 206 ? contentRange(headers)?.size : contentLength(headers);
      const facts = factsOf(headers, size, await firstBytes(watched(answer), answer));
      return { ...facts, ranged: statusCode === 206 && size !== undefined };
    } finally {
      message.destroy();
    }
  }

  /**
   * Reads a range into a buffer, after what is in it already: when it broke off, the next call goes on
   * from there.
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
      if (!notPlain.has(origin)) {
        try {
          return await readPlain(new URL(target), range, known, into, signal);
        } catch (error) {
          if (!(error instanceof NotPlain)) throw error;
          notPlain.add(origin);
        }
      }
      await readByNode(target, range, known, into, signal);
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
    const abort = () => connection.close(broken('aborted'));
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

  async function readByNode(
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

  /** Opens the whole, of a source that serves no ranges or none that can be relied on. */
  async function stream(url: string, signal: AbortSignal): Promise<Stream> {
    const answer = await following(url, async (target) => {
      const opened = await open(target, {}, signal);
      if (opened.statusCode === 200) return opened;
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
      const chunks = watched(answer);
      const first: Buffer[] = [];
      const facts = factsOf(headers, size, await firstBytes(chunks, answer, first));
      return { ...facts, chunks: whole(first, chunks, size), close };
    } catch (error) {
      close();
      throw error;
    }
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

  function close(): void {
    safeHttp.close();
    for (const connections of idle.values()) for (const connection of connections) connection.close();
    idle.clear();
  }

  function judging(range: ByteRange, known: Known): (status: number, headers: Headers) => void {
    return (status, headers) => {
      const fault = rangeFault(status, headers, range, known, now());
      if (fault) throw new SourceError(fault);
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
      throw asSourceError(error instanceof SourceError ? error : explain(error), 'the source');
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The first bytes of an answer, however they drip: they come soon or not at all.
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

  return { probe, read, stream, close };
}

const EMPTY = 'the source is empty';

/** What a good answer says of the file; throws for one that cannot be copied, now or ever. */
function factsOf(headers: Headers, size: number | undefined, head: Buffer): FileFacts {
  const encoding = encodingFault(headers);
  if (encoding) throw new SourceError(encoding);
  const contentType = text(headers['content-type']);
  if (size === 0 || head.length === 0) throw busy(EMPTY);
  // A page with status 200 is what some servers answer until the file is there.
  const reason = notAVideo(contentType, head);
  if (reason) throw busy(reason);
  const lastModified = text(headers['last-modified']);
  return { size, etag: text(headers.etag), lastModified, contentType, head };
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

const isBroken = (error: unknown): boolean => error instanceof SourceError && error.fault.kind === 'broken';
