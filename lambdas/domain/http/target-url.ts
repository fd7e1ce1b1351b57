import { isAddress, isLoopbackAddress, isPublicAddress } from './public-address.ts';
import { sentence } from './sentence.ts';

type TargetCheck = { readonly ok: true; readonly url: URL } | ({ readonly ok: false } & Refusal);

/** Without the URL's path, query or credentials. */
type Refusal = {
  /** A clause. */
  readonly what: string;
  /** For whoever wrote the URL. */
  readonly remedy: string;
  /** Both as a sentence. */
  readonly reason: string;
};

export const MAX_URL_LENGTH = 2_048;
/** Of a signed URL to download from: session tokens make them long. */
export const MAX_SOURCE_URL_LENGTH = 16_384;

export type TargetRules = { readonly allowLoopback: boolean; readonly maxLength?: number };

/** Suffixes of names that only a private network answers. */
const PRIVATE_SUFFIXES =
  /(^|\.)(localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa)$/;

/** At least two labels of at most 63 characters, 253 in all; underscores occur in the wild. */
const HOST_NAME =
  /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/;

/** Scheme and authority as written. Stricter than the URL parser, which repairs what is missing. */
const WRITTEN = /^(https?):\/\/([^/?#]+)/i;

/**
 * Whether the bridge may send to, or fetch from, a URL: as far as that is known without DNS.
 *
 * Deployed: `https` to a public address or a public-looking name, on port 443 or one from 1024 up
 * (the privileged ports belong to other protocols: mail, SSH, DNS). With `allowLoopback` also `http`
 * and any port on loopback. The host must be written as it is dialed, so that every
 * reader of the URL (a log, an allow list, a person) sees the same host as the connector. A fragment is refused since
 * it is never sent, and would make two callbacks out of one.
 */
export function checkTargetUrl(
  text: string,
  { allowLoopback, maxLength = MAX_URL_LENGTH }: TargetRules,
): TargetCheck {
  if (text.length > maxLength) {
    return refuse(`the URL has ${text.length} characters`, `shorten it to at most ${maxLength}`);
  }
  if (/[\s\\\p{Cc}]/u.test(text)) {
    return refuse('the URL contains white space, a control character or a backslash', 'percent-encode it');
  }
  const [, , authority = ''] = WRITTEN.exec(text) ?? [];
  if (authority === '' || !URL.canParse(text)) {
    return refuse('the text is not a complete URL', 'write it as https://host/path');
  }
  if (authority.includes('@')) {
    return refuse('the URL contains credentials', 'remove what stands before the @ and use a header instead');
  }
  if (text.includes('#'))
    return refuse('the URL has a fragment, which is never sent', 'remove the # and the rest');

  const url = new URL(text);
  const host = dialedHost(url);
  const loopback = allowLoopback && (/(^|\.)localhost$/.test(host) || isLoopbackAddress(host));
  if (url.protocol !== 'https:' && !loopback) return refuse('the URL is not encrypted', 'use https');
  const port = url.port === '' ? 443 : Number(url.port);
  if (port !== 443 && port < 1024 && !loopback) {
    return refuse(`port ${port} is not open to the bridge`, 'use 443 or one from 1024 to 65535');
  }
  const refused = (loopback ? undefined : privateHost(host)) ?? disguisedHost(url.hostname, authority);
  return refused ?? { ok: true, url };
}

const refuse = (what: string, remedy: string): { ok: false } & Refusal => ({
  ok: false,
  what,
  remedy,
  reason: sentence(what, remedy),
});

/**
 * The same for a URL that a server gives (a download, a redirect), read as browsers read it: blanks and
 * letters of any script are percent-encoded, a fragment is dropped.
 *
 * @param base what a relative one is relative to
 */
export function checkGivenUrl(text: string, rules: TargetRules, base?: string): TargetCheck {
  if (!URL.canParse(text, base)) return checkTargetUrl('', rules);
  const url = new URL(text, base);
  url.hash = '';
  // A name with its root behind it is the same name.
  if (/[^.]\.$/.test(url.hostname)) url.hostname = url.hostname.slice(0, -1);
  return checkTargetUrl(url.href, rules);
}

/** The host of a URL as DNS and sockets want it: an IPv6 address without its brackets. */
export const dialedHost = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

function privateHost(host: string) {
  if (isAddress(host)) {
    if (isPublicAddress(host)) return undefined;
    return refuse(`the address ${host} is not public`, 'use one that the internet can reach');
  }
  if (host.endsWith('.')) return refuse('the host ends with a dot', 'remove it');
  if (PRIVATE_SUFFIXES.test(host))
    return refuse(`the name ${host} is private`, 'use one that public DNS knows');
  if (!HOST_NAME.test(host))
    return refuse(`${host} is not a public host name`, 'use a full one such as hooks.example.com');
  return undefined;
}

function disguisedHost(hostname: string, authority: string) {
  const written = authority.replace(/:\d*$/, '').toLowerCase();
  const international = /[^\p{ASCII}]/u.test(written) && /(^|\.)xn--/.test(hostname);
  if (written === hostname || written.startsWith('[') || international) return undefined;
  return refuse('the host is written in a disguised form', `write it as ${hostname}`);
}
