/** The polynomial of CRC-32 (zlib, S3), bits reflected: the highest bit is x⁰. */
const POLYNOMIAL = 0xedb88320;
const X_0 = 0x80000000;
const X_8 = 0x00800000;

/**
 * The CRC-32 of two byte strings put together, from the CRC of each and the length in bytes of the
 * second: appending n bytes multiplies the first one's CRC by x^8n modulo the polynomial.
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  return (multiply(powerOfX8(secondLength), first) ^ second) >>> 0;
}

/** As S3 writes it: base64 of the four bytes, highest first. */
export function crc32ToBase64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}

/** The reverse of {@link crc32ToBase64}. */
export const crc32FromBase64 = (text: string): number => Buffer.from(text, 'base64').readUInt32BE();

function powerOfX8(exponent: number): number {
  let power = X_0;
  let square = X_8;
  for (let n = exponent; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) power = multiply(square, power);
    square = multiply(square, square);
  }
  return power;
}

/** The product of two polynomials modulo {@link POLYNOMIAL}. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = X_0; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= b;
    b = (b & 1) === 1 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product >>> 0;
}
