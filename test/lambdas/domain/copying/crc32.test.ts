import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { combineCrc32, crc32FromBase64, crc32ToBase64 } from '../../../../lambdas/domain/copying/crc32.ts';

test('the combined CRC of any pieces is the CRC of the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (pieces) => {
      const combined = pieces.reduce((crc, piece) => combineCrc32(crc, crc32(piece), piece.length), 0);
      expect(combined).toBe(crc32(Buffer.concat(pieces)));
    }),
  );
});

test('lengths beyond 32 bits combine: zeros put after a byte in two ways', () => {
  const far = 2 ** 45 + 12_345;
  const zeros = (length: number): number => {
    // Doubling: the CRC of so many zero bytes.
    let [whole, block] = [0, crc32(Buffer.alloc(1))];
    let [done, size] = [0, 1];
    for (let n = length; n > 0; n = Math.floor(n / 2)) {
      if (n % 2 === 1) {
        whole = done === 0 ? block : combineCrc32(whole, block, size);
        done += size;
      }
      block = combineCrc32(block, block, size);
      size *= 2;
    }
    return whole;
  };
  const first = crc32(Buffer.from('x'));
  const inOne = combineCrc32(first, zeros(far), far);
  const inTwo = combineCrc32(
    combineCrc32(first, zeros(2 ** 40), 2 ** 40),
    zeros(far - 2 ** 40),
    far - 2 ** 40,
  );
  expect(inOne).toBe(inTwo);
});

test('a CRC is written as S3 writes it', () => {
  expect(crc32ToBase64(crc32(Buffer.from('123456789')))).toBe('y/Q5Jg==');
  fc.assert(
    fc.property(fc.nat(0xffffffff), (crc) => {
      expect(crc32FromBase64(crc32ToBase64(crc))).toBe(crc);
    }),
  );
});
