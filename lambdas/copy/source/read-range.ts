import {
  type ByteRange,
  type Headers,
  isStrong,
  isWhole,
  type Known,
  RANGES_REFUSED,
  rangeFault,
  refusesRanges,
} from '../../domain/copying/source-answer.ts';
import { type Filling, NotPlain } from './range-connection.ts';
import type { SourceAccess } from './source-access.ts';
import { broken, SourceError } from './source-error.ts';

/** An answer that may be to the range alone. */
class RefusedRange extends SourceError {}

/** Reads ranges of a source: by RangeConnections, and by `node:http` what those do not read. */
export function createReadRange({ following, open, connections, chunks, now }: SourceAccess) {
  /** Origins whose answers a RangeConnection does not read. */
  const notPlain = new Set<string>();

  /**
   * Reads a range into a buffer, after what is in it already: when it broke off, the next call goes on
   * from there.
   */
  return async function readRange(
    url: string,
    range: ByteRange,
    known: Known,
    into: Filling,
    signal: AbortSignal,
  ): Promise<void> {
    await following(url, async (target) => {
      try {
        await readFrom(target, range, known, into, signal);
      } catch (error) {
        if (!(error instanceof RefusedRange)) throw error;
        throw (await servesWhole(target, signal)) ? new SourceError(RANGES_REFUSED) : error;
      }
    });
  };

  async function readFrom(
    target: string,
    range: ByteRange,
    known: Known,
    into: Filling,
    signal: AbortSignal,
  ): Promise<void> {
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
  }

  /** Whether the source answers with the file when no range is asked for. */
  async function servesWhole(target: string, signal: AbortSignal): Promise<boolean> {
    const { statusCode, headers, message } = await open(target, {}, signal);
    message.destroy();
    return isWhole(statusCode, headers);
  }

  async function readPlain(
    url: URL,
    range: ByteRange,
    known: Known,
    into: Filling,
    signal: AbortSignal,
  ): Promise<void> {
    const rest = restOf(range, into);
    const connection = connections.take(url);
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
    connections.keep(url, connection);
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
      for await (const chunk of chunks.watched(answer)) {
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

  function judging(range: ByteRange, known: Known): (status: number, headers: Headers) => void {
    return (status, headers) => {
      const fault = rangeFault(status, headers, range, known, now());
      if (fault) throw refusesRanges(status, headers) ? new RefusedRange(fault) : new SourceError(fault);
    };
  }
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
