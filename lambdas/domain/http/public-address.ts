import { BlockList, isIP } from 'node:net';

/** Blocks with a special purpose by IANA's registry for IPv4, and multicast (224/4). */
const SPECIAL_IPV4 = blocks('ipv4', [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);

/** All that IANA hands out for use on the internet; `::/96` and other old forms lie outside. */
const GLOBAL_IPV6 = blocks('ipv6', ['2000::/3']);

/** Blocks of it with a special purpose by IANA's registry for IPv6: Teredo and the like, documentation, 6to4, AS112. */
const SPECIAL_IPV6 = blocks('ipv6', [
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
]);

const LOOPBACK_IPV4 = blocks('ipv4', ['127.0.0.0/8']);
const LOOPBACK_IPV6 = blocks('ipv6', ['::1/128']);

/** Whether the text is an IPv4 address of four plain decimals or an IPv6 address without brackets and zone. */
export const isAddress = (text: string): boolean => family(text) !== undefined;

/**
 * Whether an address can be meant for anyone on the internet. Whatever carries another address
 * (mapped, 6to4, NAT64, Teredo) or has a special purpose (IANA's registries) is not public,
 * and neither is what is no address at all.
 */
export function isPublicAddress(text: string): boolean {
  switch (family(text)) {
    case 'ipv4':
      return !SPECIAL_IPV4.check(text);
    case 'ipv6':
      return GLOBAL_IPV6.check(text, 'ipv6') && !SPECIAL_IPV6.check(text, 'ipv6');
    default:
      return false;
  }
}

/** `127.0.0.0/8` and `::1` as such; their mapped and translated forms are not. */
export function isLoopbackAddress(text: string): boolean {
  const type = family(text);
  return type !== undefined && (type === 'ipv4' ? LOOPBACK_IPV4 : LOOPBACK_IPV6).check(text, type);
}

function family(text: string): 'ipv4' | 'ipv6' | undefined {
  const version = text.includes('%') ? 0 : isIP(text);
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined;
}

function blocks(type: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/');
    list.addSubnet(network, Number(prefix), type);
  }
  return list;
}
