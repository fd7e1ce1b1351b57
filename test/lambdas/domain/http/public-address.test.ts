import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import {
  isAddress,
  isLoopbackAddress,
  isPublicAddress,
} from '../../../../lambdas/domain/http/public-address.ts';

/** What ipaddr.js knows of IANA's registries. */
const isUnicast = (address: string): boolean => ipaddr.parse(address).range() === 'unicast';
const isGlobal = (address: string): boolean =>
  isUnicast(address) && ipaddr.IPv6.parse(address).match(ipaddr.IPv6.parseCIDR('2000::/3'));

/** The first and the last address of each block that ipaddr.js names, and their neighbors outside. */
function edges(kind: 'IPv4' | 'IPv6'): string[] {
  const { SpecialRanges } = ipaddr[kind].prototype as unknown as {
    SpecialRanges: Record<string, Block | Block[]>;
  };
  const ranges = Object.values(SpecialRanges);
  const blocks = ranges.flatMap((range) => (Array.isArray(range[0]) ? (range as Block[]) : [range as Block]));
  expect(blocks.length).toBeGreaterThan(15);
  return blocks.flatMap(([network, prefix]) => {
    const bits = BigInt(network.toByteArray().length * 8);
    const first = network.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const last = first + (1n << (bits - BigInt(prefix))) - 1n;
    return [first - 1n, first, last, last + 1n]
      .filter((edge) => edge >= 0n && edge < 1n << bits)
      .map((edge) => ipaddr.fromByteArray(bytesOf(edge, Number(bits) / 8)).toString());
  });
}
type Block = [ipaddr.IPv4 | ipaddr.IPv6, number];

const bytesOf = (value: bigint, length: number): number[] =>
  Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));

describe('an address', () => {
  it('of IPv4 is public when another implementation knows no special purpose of it', () => {
    for (const address of edges('IPv4')) expect(isPublicAddress(address), address).toBe(isUnicast(address));
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isPublicAddress(address)).toBe(isUnicast(address));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of IPv6 is public when another implementation knows no special purpose of it, and it is in 2000::/3', () => {
    for (const address of edges('IPv6')) expect(isPublicAddress(address), address).toBe(isGlobal(address));
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const first = fc.constantFrom('2001', '2002', '2620', '3fff', '2a00', '2000', '3ffe');
    const second = fc.oneof(
      fc.constantFrom('0', '1', '2', '3', '4', '10', '20', '30', '4f', 'db8', 'fff'),
      group,
    );
    const near = fc.tuple(first, second, group, group).map((groups) => `${groups.join(':')}::1`);
    fc.assert(
      fc.property(fc.oneof(near, fc.ipV6()), (address) => {
        expect(isPublicAddress(address)).toBe(isGlobal(address));
      }),
      { numRuns: 4_000 },
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
