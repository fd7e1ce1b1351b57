import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Algorithm, combineChecksums, startDigest } from '../../../local/s3/checksum.ts';

async function checksum(algorithm: Algorithm, data: Uint8Array): Promise<string> {
  const digest = startDigest(algorithm);
  digest.update(data);
  return Buffer.from(await digest.digest()).toString('base64');
}

describe.each<Algorithm>(['CRC32', 'CRC32C', 'CRC64NVME'])('%s', (algorithm) => {
  test('of parts combines to that of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2000 }), { minLength: 1 }), async (parts) => {
        const checksums = await Promise.all(
          parts.map(async (part) => ({ value: await checksum(algorithm, part), size: part.length })),
        );
        expect(combineChecksums(algorithm, checksums)).toBe(await checksum(algorithm, Buffer.concat(parts)));
      }),
    );
  });
});

test('CRCs have the values of the catalog for "123456789"', async () => {
  const check = async (algorithm: Algorithm) =>
    Buffer.from(await checksum(algorithm, Buffer.from('123456789')), 'base64').toString('hex');
  expect(await check('CRC32')).toBe('cbf43926');
  expect(await check('CRC32C')).toBe('e3069283');
  expect(await check('CRC64NVME')).toBe('ae8b14860a799888');
});
