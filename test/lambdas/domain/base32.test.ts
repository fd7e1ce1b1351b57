import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase32, encodeBase32 } from '../../../lambdas/domain/base32.ts';

test.each([
  [[], ''],
  [[0], '00'],
  [[255], 'zw'],
  [[0, 255], '03zg'],
  // Eight characters for five bytes, with nothing left over.
  [[0, 1, 2, 3, 4], '000g40r4'],
  [[255, 255, 255, 255, 255], 'zzzzzzzz'],
])('bytes are written five bits a character: %j as %j', (bytes, text) => {
  expect(encodeBase32(Uint8Array.from(bytes))).toBe(text);
  expect(decodeBase32(text, bytes.length)).toEqual(Uint8Array.from(bytes));
});

test('bytes come back as they were, and their text sorts as they do', () => {
  const bytes = fc.uint8Array({ minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(decodeBase32(encodeBase32(a), 9)).toEqual(a);
      expect(Math.sign(Buffer.compare(a, b))).toBe(
        encodeBase32(a) < encodeBase32(b) ? -1 : encodeBase32(a) > encodeBase32(b) ? 1 : 0,
      );
    }),
  );
});

test.each([
  ['another length', '000g40r', 5],
  ['more than the bytes take', '000g40r400', 5],
  ['a letter that is in no text', '000g40ru', 5],
  ['upper case', '000G40R4', 5],
  ['bits beyond the last byte', 'zx', 1],
])('text that is not ours is none: %s', (_name, text, length) => {
  expect(decodeBase32(text, length)).toBeUndefined();
});
