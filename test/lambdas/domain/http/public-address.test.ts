import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isAddress,
  isLoopbackAddress,
  isPublicAddress,
} from '../../../../lambdas/domain/http/public-address.ts';

/** IANA's special-purpose registry for IPv4, and multicast, in the words of another implementation. */
const special = new BlockList();
for (const block of [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24',
  '192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15',
  '198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
].flatMap((line) => line.split(' '))) {
  const [network, prefix] = block.split('/');
  special.addSubnet(network!, Number(prefix));
}

describe('an address', () => {
  it('of IPv4 is public when IANA lists no special purpose for it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isPublicAddress(address)).toBe(!special.check(address));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of IPv6 is never public outside of 2000::/3', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const first = Number.parseInt(address.split(':')[0] || '0', 16);
        if (first < 0x2000 || first > 0x3fff) expect(isPublicAddress(address)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['::ffff:', '::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'])(
    'of IPv4 is not public behind the IPv6 prefix %s',
    (prefix) => {
      fc.assert(
        fc.property(fc.ipV4(), (address) => {
          expect(isPublicAddress(prefix + address)).toBe(false);
          expect(isLoopbackAddress(prefix + address)).toBe(prefix + address === '::0.0.0.1');
        }),
      );
    },
  );

  it.each([
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
    '2001:4860:4860::8888',
    '2600:1f18::1',
    '2001:200::1',
  ])('of IPv6 is public in an ordinary allocation: %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '',
    'example.com',
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '08.8.8.8',
    '8.8.8.8 ',
    '8.8.8.8/32',
    '8.8.2056',
    '[2606:4700::1111]',
    '2606:4700::1111%eth0',
    'fe80::1%1',
    '1.2.3.4.5',
    '256.1.1.1',
  ])('is neither an address nor public when written otherwise: %j', (text) => {
    expect(isAddress(text)).toBe(false);
    expect(isPublicAddress(text)).toBe(false);
    expect(isLoopbackAddress(text)).toBe(false);
  });

  it.each(['127.0.0.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1'])('is loopback: %s', (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['128.0.0.1', '126.255.255.255', '0.0.0.0', '::', '::2'])('is not loopback: %s', (address) => {
    expect(isLoopbackAddress(address)).toBe(false);
  });
});
