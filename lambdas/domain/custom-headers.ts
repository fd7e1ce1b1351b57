/** Headers that the connection, the signature or the payload decide. */
const RESERVED = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const RESERVED_PREFIXES = ['webhook-', 'proxy-'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII with single spaces or tabs inside: no line ends, which would begin another header. */
const VALUE = /^[\x21-\x7e]+([ \t]+[\x21-\x7e]+)*$/;

export const MAX_HEADERS = 20;
export const MAX_HEADER_NAME = 100;
export const MAX_HEADER_VALUE = 1_000;

/** Why a header can't be one of an endpoint's own: a sentence with the remedy; undefined when it can. */
export function headerRefusal(name: string, value: string): string | undefined {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name) || name.length > MAX_HEADER_NAME) {
    return `This is no header name: use at most ${MAX_HEADER_NAME} letters, digits and hyphens.`;
  }
  if (RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
    return 'The bridge sets this header itself: remove it.';
  }
  if (!VALUE.test(value) || value.length > MAX_HEADER_VALUE) {
    return `The value must be 1 to ${MAX_HEADER_VALUE} visible ASCII characters without line ends: change it.`;
  }
  return undefined;
}
