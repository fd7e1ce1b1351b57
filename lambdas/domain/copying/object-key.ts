const MAX_FILENAME = 100;
/** S3's limit of a key, bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;
/** What each placeholder comes to at most, and the number that a clash adds. */
const LONGEST: Readonly<Record<string, number>> = {
  requestId: 36,
  filename: MAX_FILENAME + 5,
  ext: 8,
  date: 10,
};
const LONGEST_NUMBER = 4;
const DEFAULT_EXTENSION = 'mp4';

/** What a key template can name. */
type KeyValues = {
  readonly requestId: string;
  /** The name of the file at the source, as far as it can be told. */
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
  const filled: Record<string, string> = {
    requestId: values.requestId,
    filename,
    ext: filename.slice(filename.lastIndexOf('.') + 1),
    date: new Date(values.now).toISOString().slice(0, 10),
  };
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => filled[name] ?? placeholder);
}

/** Whether S3 takes every key that a template can give. */
export function givesShortKeys(template: string): boolean {
  const longest = template.replace(/\{(\w+)\}/g, (_, name: string) => 'x'.repeat(LONGEST[name] ?? 0));
  return Buffer.byteLength(longest) + LONGEST_NUMBER <= MAX_KEY_BYTES;
}

/** The key to try when earlier ones are taken: `a/b.mp4`, then `a/b-2.mp4`, `a/b-3.mp4`. */
export function alternativeKey(key: string, attempt: number): string {
  if (attempt === 1) return key;
  const [, stem = key, extension = ''] = /^(.*?)(\.[^./]*)?$/.exec(key) ?? [];
  return `${stem}-${attempt}${extension}`;
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

function safeFilename(name: string | undefined, contentType: string): string {
  const safe = (name ?? '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(-MAX_FILENAME);
  const base = safe === '' ? 'video' : safe;
  return /\.\w{1,8}$/.test(base) ? base : `${base}.${EXTENSIONS[contentType] ?? DEFAULT_EXTENSION}`;
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'video/webm': 'webm',
  'video/x-matroska': 'mkv',
  'video/x-msvideo': 'avi',
  'video/mp2t': 'ts',
  'application/mxf': 'mxf',
};
