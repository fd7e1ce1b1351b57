/** A format that a video is stored in: its media type, and the extension of a file without one. */
type MediaFormat = { readonly type: string; readonly extension: string };

const MP4 = { type: 'video/mp4', extension: 'mp4' };
const QUICKTIME = { type: 'video/quicktime', extension: 'mov' };
const UNKNOWN = { type: 'application/octet-stream', extension: 'bin' };

/** Formats by their first bytes, as latin1. */
const SIGNATURES: readonly (MediaFormat & { readonly at?: number; readonly bytes: string })[] = [
  { type: 'video/x-flv', extension: 'flv', bytes: 'FLV\x01' },
  {
    type: 'video/x-ms-asf',
    extension: 'asf',
    bytes: '\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c',
  },
  {
    type: 'application/mxf',
    extension: 'mxf',
    bytes: '\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01',
  },
  { type: 'video/ogg', extension: 'ogv', bytes: 'OggS\0' },
  { type: 'video/mpeg', extension: 'mpg', bytes: '\0\0\x01\xba' },
  { type: 'video/mpeg', extension: 'mpg', bytes: '\0\0\x01\xb3' },
  // A zip begins with a file, with the mark of a spanned one, or with its end when it is empty.
  ...['PK\x03\x04', 'PK\x07\x08', 'PK\x05\x06'].map((bytes) => ({
    type: 'application/zip',
    extension: 'zip',
    bytes,
  })),
  { type: 'application/gzip', extension: 'gz', bytes: '\x1f\x8b\x08' },
  // How a fragmented MP4 begins when its first part is elsewhere.
  ...['styp', 'sidx', 'moof'].map((bytes) => ({ ...MP4, at: 4, bytes })),
  ...['moov', 'mdat', 'wide', 'free', 'skip', 'pnot'].map((bytes) => ({ ...QUICKTIME, at: 4, bytes })),
];

/** Brands of pictures and sound in the container that MP4 shares with them. */
const OTHER_BRANDS = ['heic', 'heix', 'mif1', 'avif', 'M4A '];
/** PDF, PNG, JPEG, GIF. */
const OTHER_FILES = ['%PDF', '\x89PNG', '\xff\xd8\xff', 'GIF8'];
/** How pages and error messages begin, in lower case. */
const MARKUP = ['<!doctype', '<html', '<head', '<body', '<?xml', '<error'];
/** The first bytes of a JSON value of several members. */
const JSON_START = /^(\{\s{0,64}"|\[\s{0,64}\{)/;
const VIDEO_TYPE = /^video\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

const TAR_BLOCK = 512;
const TAR_CHECKSUM = { from: 148, to: 156 };

/**
 * The type to store a video as. The bytes are believed first; the type that the source gives counts only
 * if it is one of video, so that no browser runs what a stranger sent.
 *
 * @param contentType the source's header
 * @param head the first bytes, 1 KiB where there are as many
 */
export function mediaType(contentType: string | undefined, head: Uint8Array): string {
  const given = essence(contentType);
  return formatOf(head)?.type ?? (VIDEO_TYPE.test(given) ? given : UNKNOWN.type);
}

/** The extension that names of files of a media type have. */
export const extensionOf = (type: string): string =>
  FORMATS.find((format) => format.type === type)?.extension ?? UNKNOWN.extension;

/**
 * Why these bytes cannot be a video (an error page, say), as a clause for the event's reason; undefined
 * when they may be one. Only what is certain is refused, since the formats of video are many.
 */
export function notAVideo(contentType: string | undefined, head: Uint8Array): string | undefined {
  const begin = latin1(head).replace(/^ï»¿/, '').trimStart();
  const markup = begin.slice(0, 16).toLowerCase();
  if (MARKUP.some((each) => markup.startsWith(each)) || JSON_START.test(begin)) {
    return 'the source begins like a page or an error message, not a video';
  }
  if (OTHER_FILES.some((magic) => begin.startsWith(magic)) || OTHER_BRANDS.includes(brandOf(head) ?? '')) {
    return 'the source begins like a document or a picture, not a video';
  }
  if (!VIDEO_TYPE.test(essence(contentType)) && !formatOf(head) && isText(head)) {
    return 'the source is text, not a video';
  }
  return undefined;
}

function formatOf(head: Uint8Array): MediaFormat | undefined {
  const bytes = latin1(head);
  const brand = brandOf(head);
  if (brand !== undefined) return brand.startsWith('qt') ? QUICKTIME : MP4;
  if (bytes.startsWith('\x1aE\xdf\xa3')) return bytes.slice(0, 128).includes('webm') ? WEBM : MATROSKA;
  if (bytes.startsWith('RIFF') && bytes.startsWith('AVI', 8)) return AVI;
  if (hasPackets(head, 188, 0) || hasPackets(head, 192, 4) || hasPackets(head, 204, 0)) {
    return TRANSPORT_STREAM;
  }
  if (isTar(head)) return TAR;
  return SIGNATURES.find(({ at = 0, bytes: magic }) => bytes.startsWith(magic, at));
}

const WEBM = { type: 'video/webm', extension: 'webm' };
const MATROSKA = { type: 'video/x-matroska', extension: 'mkv' };
const AVI = { type: 'video/x-msvideo', extension: 'avi' };
const TRANSPORT_STREAM = { type: 'video/mp2t', extension: 'ts' };
const TAR = { type: 'application/x-tar', extension: 'tar' };
const FORMATS = [MP4, QUICKTIME, WEBM, MATROSKA, AVI, TRANSPORT_STREAM, TAR, ...SIGNATURES];

/** The major brand of an ISO media file. */
function brandOf(head: Uint8Array): string | undefined {
  const bytes = latin1(head);
  return bytes.startsWith('ftyp', 4) ? bytes.slice(8, 12) : undefined;
}

/**
 * Two packets of a transport stream: 188 bytes behind a sync byte, with 4 more before it in M2TS, or with 16 more of
 * error correction behind.
 */
function hasPackets(head: Uint8Array, length: number, at: number): boolean {
  return head[at] === 0x47 && head[at + length] === 0x47;
}

/** The first block of a tar holds the sum of its bytes, its own field counted as blanks. */
function isTar(head: Uint8Array): boolean {
  if (head.length < TAR_BLOCK) return false;
  const { from, to } = TAR_CHECKSUM;
  const field = /^ {0,7}([0-7]{1,7})[\0 ]/.exec(latin1(head.subarray(from, to)))?.[1];
  if (field === undefined) return false;
  const sum = head
    .subarray(0, TAR_BLOCK)
    .reduce((total, byte, i) => total + (i >= from && i < to ? 0x20 : byte), 0);
  return sum === Number.parseInt(field, 8);
}

const essence = (contentType: string | undefined): string =>
  (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** UTF-8 without control characters; every video container has some among its first bytes. */
function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return text !== '' && !/[^\P{Cc}\t\r\n\f]/u.test(text);
  } catch {
    return false;
  }
}
