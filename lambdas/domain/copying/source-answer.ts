import { retryAfterMs } from '../http/retry-after.ts';
import type { SourceFaultKind } from './copy-fault.ts';

/** The headers of an answer, names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What an answer means that does not serve the range. */
export type SourceFault = {
  readonly kind: SourceFaultKind;
  /** A clause for logs and the event's reason: no URL, nothing that the source sent. */
  readonly reason: string;
  readonly retryAfterMs?: number;
  /** Where a redirect leads, as it was sent. */
  readonly location?: string;
};

export type ByteRange = { readonly start: number; readonly length: number };

/** What is known of the content; every answer must agree with it. */
export type Known = { readonly size?: number; readonly etag?: string; readonly lastModified?: string };

/** What is wrong with an answer to a ranged GET; undefined when its body is the range. */
export function rangeFault(
  status: number,
  headers: Headers,
  range: ByteRange,
  known: Known,
  now: number,
): SourceFault | undefined {
  if (status === 200) return unranged('the source answered a range with the whole (200)');
  if (status !== 206) return statusFault(status, headers, now);
  const fault = encodingFault(headers) ?? changeFault(headers, known);
  if (fault) return fault;
  const served = contentRange(headers);
  if (!served) return unranged('the source answered 206 without a readable Content-Range');
  if (known.size !== undefined && served.size !== undefined && served.size !== known.size) {
    return { kind: 'changed', reason: 'the source has another size now' };
  }
  if (served.start !== range.start || served.end !== range.start + range.length - 1) {
    return unranged('the source answered another range than was asked for');
  }
  const length = contentLength(headers);
  if (length !== undefined && length !== range.length) {
    return unranged(`the source announced ${length} bytes for a range of ${range.length}`);
  }
  return undefined;
}

/**
 * Statuses with which a server, or a firewall before it, may refuse only the range and not the whole. Statuses that
 * concern the file, the key or the load are not among them.
 */
const OF_RANGES = new Set([400, 403, 405, 406, 500, 501]);

/**
 * Whether a server may have answered so only because it was asked for a range, and serves the whole: only a GET without
 * a range tells. Some answer several ranges at once.
 */
export const refusesRanges = (status: number, headers: Headers): boolean =>
  OF_RANGES.has(status) ||
  (status === 206 && /^multipart\/byteranges\b/i.test(text(headers['content-type']) ?? ''));

/** Whether the body is the whole file: also where a server answers as if all of it were a range. */
export function isWhole(status: number, headers: Headers): boolean {
  if (status !== 206) return status === 200;
  const { start, end, size } = contentRange(headers) ?? {};
  return start === 0 && end !== undefined && size === end + 1;
}

/** What it means that a source refuses ranges, and serves the whole. */
export const RANGES_REFUSED: SourceFault = {
  kind: 'unranged',
  reason: 'the source serves the whole, but refuses its ranges',
};

const unranged = (reason: string): SourceFault => ({ kind: 'unranged', reason });

/** Other bytes than those known: by the ETag, and without one by the time of the last change. */
function changeFault(headers: Headers, known: Known): SourceFault | undefined {
  if (known.etag !== undefined) {
    if (text(headers.etag) === known.etag) return undefined;
    return { kind: 'changed', reason: 'the source has other bytes now (ETag)' };
  }
  const lastModified = text(headers['last-modified']);
  if (known.lastModified === undefined || lastModified === known.lastModified) return undefined;
  return { kind: 'changed', reason: 'the source has other bytes now (Last-Modified)' };
}

/** What a status means that is neither the whole (200) nor a range (206). */
export function statusFault(status: number, headers: Headers, now: number): SourceFault {
  const location = text(headers.location);
  if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
    return { kind: 'moved', reason: `the source redirects (${status})`, location };
  }
  if (status === 412) return { kind: 'changed', reason: 'the source has other bytes now (412)' };
  if (status === 416) return { kind: 'changed', reason: 'the source is shorter now (416)' };
  const early = status >= 200 && status < 300;
  if (early || status === 408 || status === 425 || status === 429 || status >= 500) {
    const wait = retryAfterMs(text(headers['retry-after']), now);
    return { kind: 'busy', reason: `the source answered ${status}`, retryAfterMs: wait };
  }
  return { kind: 'refused', reason: `the source answered ${status}` };
}

/** IANA's content codings that change the bytes. */
const CODINGS = new Set(
  'aes128gcm br compress dcb dcz deflate exi gzip pack200-gzip x-compress x-gzip zstd'.split(' '),
);

/**
 * A compressed body has other bytes than the ETag and the range speak of. Stores also send what encodes
 * nothing (`aws-chunked`, `utf-8`), as it was once given to them: that is ignored.
 */
export function encodingFault(headers: Headers): SourceFault | undefined {
  const tokens = (text(headers['content-encoding']) ?? '').toLowerCase().split(',');
  const coding = tokens.map((token) => token.trim()).find((token) => CODINGS.has(token));
  if (coding === undefined) return undefined;
  return { kind: 'unusable', reason: `the source serves the video compressed (${coding}) only` };
}

/** `bytes 0-99/1000`; the size is undefined for `*`. End inclusive. */
export function contentRange(
  headers: Headers,
): { start: number; end: number; size: number | undefined } | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text(headers['content-range']) ?? '');
  if (!match) return undefined;
  const [, start, end, size] = match;
  return { start: Number(start), end: Number(end), size: size === '*' ? undefined : Number(size) };
}

export function contentLength(headers: Headers): number | undefined {
  const length = text(headers['content-length']) ?? '';
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** Whether an ETag may be used in `If-Match`, which compares strongly (RFC 9110, 13.1.1). */
export const isStrong = (etag: string | undefined): etag is string => etag?.startsWith('"') ?? false;

export const text = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
