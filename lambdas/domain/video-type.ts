/** Types under which video is served though they do not say so. */
const NEUTRAL = new Set(['', 'application/octet-stream', 'binary/octet-stream', 'application/mxf']);
const NOT_VIDEO = /^(text\/|image\/svg|application\/(json|xml|xhtml|pdf|javascript|problem|.*\+(json|xml)))/;
const MARKUP = /^\s*(<!doctype|<html|<\?xml|<error|\{\s*"|\[\s*\{)/i;

/**
 * Why these bytes are obviously no video (an error page, say), as a clause for the event's reason;
 * undefined when they may be one. Only what can't be a video is refused: its formats are many.
 *
 * @param head the first bytes
 */
export function notAVideo(contentType: string | undefined, head: Uint8Array): string | undefined {
  const type = essence(contentType);
  if (NOT_VIDEO.test(type)) return `the source is ${type}, not a video`;
  if (type.startsWith('video/')) return undefined;
  const text = Buffer.from(head).subarray(0, 256).toString('latin1').replace(/^ï»¿/, '');
  return MARKUP.test(text) ? 'the source begins like a page or an error message, not a video' : undefined;
}

/** The type to store: the source's if it is one of video, else what the first bytes say. */
export function videoType(contentType: string | undefined, head: Uint8Array): string {
  const type = essence(contentType);
  return NEUTRAL.has(type) ? (sniffed(Buffer.from(head)) ?? 'video/mp4') : type;
}

const essence = (contentType: string | undefined): string =>
  (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

function sniffed(head: Buffer): string | undefined {
  const ascii = (from: number, to: number) => head.toString('latin1', from, to);
  if (ascii(4, 8) === 'ftyp') return ascii(8, 10) === 'qt' ? 'video/quicktime' : 'video/mp4';
  if (['moov', 'mdat', 'wide', 'free'].includes(ascii(4, 8))) return 'video/quicktime';
  if (ascii(0, 4) === '\x1aE\xdf\xa3') {
    return head.toString('latin1', 0, 64).includes('webm') ? 'video/webm' : 'video/x-matroska';
  }
  if (ascii(0, 4) === 'RIFF' && ascii(8, 11) === 'AVI') return 'video/x-msvideo';
  return undefined;
}
