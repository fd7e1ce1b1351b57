import ipaddr from 'ipaddr.js';

/** All that IANA hands out for use on the internet; `::/96` and other old forms lie outside. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether the text is an IPv4 address of four plain decimals or an IPv6 address without brackets. */
export const isAddress = (text: string): boolean => parse(text) !== undefined;

/**
 * Whether an address can be meant for anyone on the internet. Whatever carries another address
 * (mapped, 6to4, NAT64, Teredo) or has a special purpose (IANA's registries) is not public,
 * and neither is what is no address at all.
 */
export function isPublicAddress(text: string): boolean {
  const address = parse(text);
  if (address?.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_IPV6);
}

/** `127.0.0.0/8` and `::1` as such; their mapped and translated forms are not. */
export const isLoopbackAddress = (text: string): boolean => parse(text)?.range() === 'loopback';

/**
 * The parser of ipaddr.js also takes octal, hexadecimal and short forms, and zones; none may pass here. A name never
 * reaches it: it would throw and catch an error, which costs more than all other checks of a URL.
 */
function parse(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (!/^[\d.]+$/.test(text) && !text.includes(':')) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!text.includes('%') && ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text);
  return undefined;
}
