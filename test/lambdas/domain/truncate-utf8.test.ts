import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonBytes, truncateJson, truncateUtf8 } from '../../../lambdas/domain/truncate-utf8.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 60 });

test('text is cut between characters, and is never longer than allowed', () => {
  fc.assert(
    fc.property(anyText, fc.nat(40), (text, bytes) => {
      const cut = truncateUtf8(text, bytes);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
      expect(text.toWellFormed().startsWith(cut)).toBe(true);
    }),
  );
});

test('the JSON form of text is never longer than allowed, whatever has to be escaped', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 60 }), (text, bytes) => {
      const cut = truncateJson(text, bytes);
      expect(jsonBytes(cut)).toBeLessThanOrEqual(bytes);
      expect(text.toWellFormed().startsWith(cut)).toBe(true);
    }),
  );
  expect(jsonBytes(truncateJson('\u0001'.repeat(10_000), 4_096))).toBeLessThanOrEqual(4_096);
});

test('text whose JSON form just fits is whole, and one byte less costs one character', () => {
  expect(truncateJson('abc', 5)).toBe('abc');
  expect(truncateJson('abc', 4)).toBe('ab');
  expect(truncateJson('a\u0001b', 9)).toBe('a\u0001');
  expect(truncateJson('a\u0001b', 8)).toBe('a');
});
