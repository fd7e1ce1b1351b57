import { createHash } from 'node:crypto';
import { Crc32, Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';

/** The checksums of S3 objects and parts, and how those of parts make that of the whole. */

/** A running digest; `digest` ends it. */
type Digest = {
  update(chunk: Uint8Array): unknown;
  digest(): Uint8Array | Promise<Uint8Array>;
};

const DIGESTS = {
  CRC32: () => new Crc32(),
  CRC32C: () => new Crc32c(),
  CRC64NVME: () => new Crc64Nvme(),
  SHA1: () => createHash('sha1'),
  SHA256: () => createHash('sha256'),
} satisfies Record<string, () => Digest>;

export type Algorithm = keyof typeof DIGESTS;
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

/** A checksum in base64, of an object or a part. */
export type Checksum = {
  algorithm: Algorithm;
  value: string;
};

export const ALGORITHMS = Object.keys(DIGESTS) as Algorithm[];

export function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(DIGESTS, name);
}

export function startDigest(algorithm: Algorithm): Digest {
  return DIGESTS[algorithm]();
}

/** The header (or trailer) that carries a checksum: `x-amz-checksum-crc32`. */
export function checksumHeader(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

const BYTES: Record<Algorithm, number> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

/** Whether a value has the form of that checksum, right or wrong. */
export function isWellFormed({ algorithm, value }: Checksum): boolean {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === BYTES[algorithm] && bytes.toString('base64') === value;
}

/** S3's checksum of checksums: base64 of the digest of the parts' digests, then `-` and their number. */
export async function compositeChecksum(algorithm: Algorithm, values: string[]): Promise<string> {
  const digest = startDigest(algorithm);
  digest.update(Buffer.concat(values.map((value) => Buffer.from(value, 'base64'))));
  return `${Buffer.from(await digest.digest()).toString('base64')}-${values.length}`;
}

/** The bit-reversed polynomials of the CRCs. */
const POLYNOMIALS: Partial<Record<Algorithm, bigint>> = {
  CRC32: 0xedb88320n,
  CRC32C: 0x82f63b78n,
  CRC64NVME: 0x9a6c9329ac4bc9b5n,
};

/** Whether checksums of parts combine to that of the whole object, so that FULL_OBJECT is possible. */
export function combines(algorithm: Algorithm): boolean {
  return POLYNOMIALS[algorithm] !== undefined;
}

/**
 * The CRC of a whole from those of its parts in order, without reading a byte: appending n bytes multiplies
 * the CRC so far by x^(8n) modulo the polynomial, and the CRC of what is appended is added.
 */
export function combineChecksums(algorithm: Algorithm, parts: { value: string; size: number }[]): string {
  const polynomial = POLYNOMIALS[algorithm];
  if (polynomial === undefined) throw new Error(`${algorithm} checksums do not combine; use a CRC.`);
  const width = BYTES[algorithm] * 8;
  const shifts = new Map<number, bigint>();
  let combined = 0n;
  for (const { value, size } of parts) {
    const shift = shifts.get(size) ?? powerOfX(BigInt(size) * 8n, polynomial, width);
    shifts.set(size, shift);
    combined =
      multiply(combined, shift, polynomial, width) ^
      BigInt(`0x${Buffer.from(value, 'base64').toString('hex')}`);
  }
  return Buffer.from(combined.toString(16).padStart(width / 4, '0'), 'hex').toString('base64');
}

/** The product of two polynomials; bit-reversed, so the highest bit is x^0 and a shift right multiplies by x. */
function multiply(a: bigint, b: bigint, polynomial: bigint, width: number): bigint {
  let product = 0n;
  let power = b;
  for (let bit = 1n << BigInt(width - 1); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= power;
    power = power & 1n ? (power >> 1n) ^ polynomial : power >> 1n;
  }
  return product;
}

function powerOfX(exponent: bigint, polynomial: bigint, width: number): bigint {
  let result = 1n << BigInt(width - 1);
  let square = 1n << BigInt(width - 2);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(result, square, polynomial, width);
    square = multiply(square, square, polynomial, width);
  }
  return result;
}
