import { truncateUtf8 } from '../truncate-utf8.ts';
import { extensionOf } from './media-type.ts';

/** Bytes of UTF-8, the extension included. */
const MAX_FILENAME = 200;
/** S3's limit of a key, bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;
/** The most bytes of each placeholder, and of the number that a clash adds. */
const LONGEST = new Map([
  ['requestId', 36],
  ['filename', MAX_FILENAME],
  ['ext', 8],
  ['date', 10],
]);
const LONGEST_NUMBER = 4;

const EXTENSION = /\.[A-Za-z0-9]{1,8}$/;

/** What a key template can name. */
type KeyValues = {
  readonly requestId: string;
  /** The name of the file at the source, if it is known. */
  readonly filename?: string;
  readonly contentType: string;
  /** ms since epoch. */
  readonly now: number;
};

/**
 * The object key that a template gives: `{requestId}`, `{filename}` (with its extension), `{ext}`
 * and `{date}` (UTC, 2026-11-23) are filled in.
 */
export function objectKeyFor(template: string, values: KeyValues): string {
  const filename = safeFilename(values.filename, values.contentType);
  const filled = new Map([
    ['requestId', values.requestId],
    ['filename', filename],
    ['ext', filename.slice(filename.lastIndexOf('.') + 1)],
    ['date', new Date(values.now).toISOString().slice(0, 10)],
  ]);
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => filled.get(name) ?? placeholder);
}

/** Whether S3 takes every key that a template can give. */
export function givesShortKeys(template: string): boolean {
  const longest = template.replace(/\{(\w+)\}/g, (_, name: string) => 'x'.repeat(LONGEST.get(name) ?? 0));
  return Buffer.byteLength(longest) + LONGEST_NUMBER <= MAX_KEY_BYTES;
}

/** The key to try when earlier ones are taken: `a/b.mp4`, then `a/b-2.mp4`, `a/b-3.mp4`. */
export function alternativeKey(key: string, attempt: number): string {
  if (attempt === 1) return key;
  const dot = key.lastIndexOf('.');
  const end = dot > key.lastIndexOf('/') ? dot : key.length;
  return `${key.slice(0, end)}-${attempt}${key.slice(end)}`;
}

/** The last segment of a URL's path, decoded; undefined when there is none. */
export function filenameOf(url: string): string | undefined {
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last) || undefined;
  } catch {
    return last;
  }
}

/**
 * A name that is safe in a key: letters and digits of any script, composed (NFC), so that the same name
 * always gives the same key; everything else becomes a hyphen.
 */
function safeFilename(name: string | undefined, contentType: string): string {
  const safe = (name ?? '').normalize('NFC').replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-');
  const [given] = EXTENSION.exec(safe) ?? [];
  const extension = given ?? `.${extensionOf(contentType)}`;
  const stem = safe.slice(0, safe.length - (given?.length ?? 0)).replace(/^[.-]+/, '');
  return truncateUtf8(stem === '' ? 'video' : stem, MAX_FILENAME - extension.length) + extension;
}
