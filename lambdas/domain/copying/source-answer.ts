import { retryAfterMs } from '../http/retry-after.ts';

/** The headers of an answer, names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * What an answer of the source that does not serve means:
 * - `refused`: the URL no longer works (expired, revoked, or the video is gone): another is needed;
 * - `changed`: other bytes than those begun with: start again;
 * - `busy`: asked to wait;
 * - `broken`: try the same again;
 * - `unusable`: obviously no video, or where the bridge must not go: give up;
 * - `moved`: look at `location`.
 */
export type SourceFault = {
  readonly kind: 'refused' | 'changed' | 'busy' | 'broken' | 'unusable' | 'moved';
  /** A clause for logs and the event's reason: no URL, nothing that the source sent. */
  readonly reason: string;
  readonly retryAfterMs?: number;
  readonly location?: string;
};

export type ByteRange = { readonly start: number; readonly length: number };

/** What is known of the content, which every answer must agree with. */
export type Known = { readonly size?: number; readonly etag?: string };

/** What is wrong with an answer to a ranged GET; undefined when its body is the range. */
export function rangeFault(
  status: number,
  headers: Headers,
  range: ByteRange,
  known: Known,
  now: number,
): SourceFault | undefined {
  if (status === 200) return { kind: 'broken', reason: 'the source answered a range with the whole (200)' };
  if (status !== 206) return statusFault(status, headers, now);
  const encoding = encodingFault(headers);
  if (encoding) return encoding;
  if (known.etag !== undefined && text(headers.etag) !== known.etag) {
    return { kind: 'changed', reason: 'the source has other bytes now (ETag)' };
  }
  const served = contentRange(headers);
  if (!served) return { kind: 'broken', reason: 'the source answered 206 without a readable Content-Range' };
  if (known.size !== undefined && served.size !== undefined && served.size !== known.size) {
    return { kind: 'changed', reason: 'the source has another size now' };
  }
  if (served.start !== range.start || served.end !== range.start + range.length - 1) {
    return { kind: 'broken', reason: 'the source answered another range than was asked for' };
  }
  const length = contentLength(headers);
  if (length !== undefined && length !== range.length) {
    return { kind: 'broken', reason: `the source announced ${length} bytes for a range of ${range.length}` };
  }
  return undefined;
}

/** What a status other than 200 and 206 means. */
export function statusFault(status: number, headers: Headers, now: number): SourceFault {
  const location = text(headers.location);
  if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
    return { kind: 'moved', reason: `the source redirects (${status})`, location };
  }
  if (status === 412) return { kind: 'changed', reason: 'the source has other bytes now (412)' };
  if (status === 416) return { kind: 'changed', reason: 'the source is shorter now (416)' };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const wait = retryAfterMs(text(headers['retry-after']), now);
    return { kind: 'busy', reason: `the source answered ${status}`, retryAfterMs: wait };
  }
  return { kind: 'refused', reason: `the source answered ${status}` };
}

/** A compressed body is other bytes than the ETag and the range speak of. */
export function encodingFault(headers: Headers): SourceFault | undefined {
  const encoding = text(headers['content-encoding']) ?? 'identity';
  if (encoding === 'identity') return undefined;
  return { kind: 'broken', reason: 'the source compresses its answer though it was asked not to' };
}

/** `bytes 0-99/1000`; the size is undefined for `*`. End inclusive. */
export function contentRange(
  headers: Headers,
): { start: number; end: number; size: number | undefined } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text(headers['content-range']) ?? '');
  if (!match) return undefined;
  const [, start, end, size] = match;
  return { start: Number(start), end: Number(end), size: size === '*' ? undefined : Number(size) };
}

export function contentLength(headers: Headers): number | undefined {
  const length = text(headers['content-length']) ?? '';
  return /^\d+$/.test(length) ? Number(length) : undefined;
}

/** Whether an ETag can stand in `If-Match`, which compares strongly (RFC 9110, 13.1.1). */
export const isStrong = (etag: string | undefined): etag is string => etag?.startsWith('"') ?? false;

export const text = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
