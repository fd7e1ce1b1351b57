/** Types under which video is served though they do not say so. */
const NEUTRAL = new Set(['', 'application/octet-stream', 'binary/octet-stream', 'application/mxf']);
const NOT_VIDEO =
  /^((text|image|audio|font)\/|application\/(json|xml|xhtml|pdf|javascript|problem|zip|gzip|.*\+(json|xml|zip)))/;
const MARKUP = /^\s*(<!doctype|<html|<head|<body|<\?xml|<error|\{\s*"|\[\s*\{)/i;
/** PDF, PNG, JPEG, GIF, ZIP, gzip. */
const OTHER_FILES = ['%PDF', '\x89PNG', '\xff\xd8\xff', 'GIF8', 'PK\x03\x04', '\x1f\x8b'];
/** Brands of pictures and sound in the container that MP4 shares with them. */
const OTHER_BRANDS = /^(heic|heix|mif1|avif|M4A )/;

/**
 * Why these bytes are obviously no video (an error page, say), as a clause for the event's reason;
 * undefined when they may be one. Only what can't be a video is refused: its formats are many. The
 * bytes are believed before the type, since servers guess types.
 *
 * @param head the first bytes
 */
export function notAVideo(contentType: string | undefined, head: Uint8Array): string | undefined {
  const type = essence(contentType);
  const text = Buffer.from(head).toString('latin1').replace(/^ï»¿/, '');
  if (MARKUP.test(text)) return 'the source begins like a page or an error message, not a video';
  if (OTHER_FILES.some((magic) => text.startsWith(magic))) {
    return 'the source begins like a document, a picture or an archive, not a video';
  }
  if (type.startsWith('video/')) return undefined;
  if (isText(head)) return 'the source is text, not a video';
  return NOT_VIDEO.test(type) && !sniffed(Buffer.from(head))
    ? `the source is ${type}, not a video`
    : undefined;
}

/** The type to store: the source's if it is one of video, else what the first bytes say. */
export function videoType(contentType: string | undefined, head: Uint8Array): string {
  const type = essence(contentType);
  return NEUTRAL.has(type) || NOT_VIDEO.test(type) ? (sniffed(Buffer.from(head)) ?? 'video/mp4') : type;
}

const essence = (contentType: string | undefined): string =>
  (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** UTF-8 without control characters, which every container has among its first bytes. */
function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return text !== '' && !/[^\P{Cc}\t\r\n\f]/u.test(text);
  } catch {
    return false;
  }
}

function sniffed(head: Buffer): string | undefined {
  const ascii = (from: number, to: number) => head.toString('latin1', from, to);
  if (ascii(4, 8) === 'ftyp' && OTHER_BRANDS.test(ascii(8, 12))) return undefined;
  if (ascii(4, 8) === 'ftyp') return ascii(8, 10) === 'qt' ? 'video/quicktime' : 'video/mp4';
  if (['moov', 'mdat', 'wide', 'free'].includes(ascii(4, 8))) return 'video/quicktime';
  if (ascii(0, 4) === '\x1aE\xdf\xa3') {
    return head.toString('latin1', 0, 64).includes('webm') ? 'video/webm' : 'video/x-matroska';
  }
  if (ascii(0, 4) === 'RIFF' && ascii(8, 11) === 'AVI') return 'video/x-msvideo';
  if (head[0] === 0x47 && head[188] === 0x47) return 'video/mp2t';
  return undefined;
}
