/** Headers that the connection, the signature, the payload or the bridge sets. */
const RESERVED = new Set([
  'accept-encoding',
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
  'user-agent',
]);
const RESERVED_PREFIXES = ['webhook-', 'proxy-'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII with single spaces or tabs inside: no line ends, which would begin another header. */
const VALUE = /^[\x21-\x7e]+([ \t]+[\x21-\x7e]+)*$/;

export const MAX_HEADERS = 20;
const MAX_HEADER_NAME = 100;
const MAX_HEADER_VALUE = 1_000;

/** What is shown in place of a value: it may be a secret, so it is write-only. */
export const HIDDEN_VALUE = '***';

/** Why an endpoint cannot have this header: a sentence with the remedy; undefined when it can. */
export function headerRefusal(name: string, value: string): string | undefined {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name) || name.length > MAX_HEADER_NAME) {
    return `This is not a header name: use at most ${MAX_HEADER_NAME} letters, digits and hyphens.`;
  }
  if (RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
    return 'The bridge sets this header itself: remove it.';
  }
  if (value === HIDDEN_VALUE) return `\`${HIDDEN_VALUE}\` stands for a hidden value: send the real value.`;
  if (!VALUE.test(value) || value.length > MAX_HEADER_VALUE) {
    return `The value must be 1 to ${MAX_HEADER_VALUE} visible ASCII characters without line ends: change it.`;
  }
  return undefined;
}
