import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signLink, verifyLink } from '../../../../lambdas/domain/copying/link-token.ts';

const NOW = Date.UTC(2026, 10, 23);
const link = fc.record({
  requestId: fc.uuid(),
  issuedAt: fc.integer({ min: 0, max: NOW + 1e11 }),
  expiresAt: fc.integer({ min: NOW + 1, max: NOW + 1e11 }),
});

test('a link says what was signed, its expiry rounded up to a second', () => {
  fc.assert(
    fc.property(link, fc.string({ minLength: 1 }), ({ requestId, issuedAt, expiresAt }, secret) => {
      const token = signLink({ requestId, issuedAt, expiresAt }, secret);
      expect(token).toMatch(/^[A-Za-z0-9_-]{58}$/);
      expect(verifyLink(token, secret, NOW)).toEqual({
        requestId,
        issuedAt,
        expiresAt: Math.ceil(expiresAt / 1000) * 1000,
      });
    }),
  );
});

test('a token with any bit changed is no link', () => {
  const flip = fc.nat({ max: 43 * 8 - 1 });
  fc.assert(
    fc.property(link, flip, (signed, bit) => {
      const bytes = Buffer.from(signLink(signed, 'secret'), 'base64url');
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(verifyLink(bytes.toString('base64url'), 'secret', NOW)).toBeUndefined();
    }),
  );
});

test('a link has one spelling, one secret and an end', () => {
  const expiresAt = NOW + 60_000;
  const token = signLink(
    { requestId: '11111111-2222-3333-4444-555555555555', issuedAt: NOW, expiresAt },
    'secret',
  );
  expect(verifyLink(token, 'secret', expiresAt - 1)).toBeDefined();
  expect(verifyLink(token, 'secret', expiresAt)).toBeUndefined();
  expect(verifyLink(token, 'other', NOW)).toBeUndefined();
  for (const spelling of [`${token}=`, `${token}\n`, token.slice(0, -1), `${token}AA`, '']) {
    expect(verifyLink(spelling, 'secret', NOW)).toBeUndefined();
  }
});

test('a link that was made before the time of issue was kept is still good', () => {
  const body = Buffer.concat([
    Buffer.from([1]),
    Buffer.from('11111111222233334444555555555555', 'hex'),
    Buffer.from([0x7f, 0, 0, 0]),
  ]);
  const mac = createHmac('sha256', 'secret').update('link\0').update(body).digest().subarray(0, 16);
  const old = Buffer.concat([body, mac]).toString('base64url');
  expect(verifyLink(old, 'secret', NOW)).toMatchObject({
    requestId: '11111111-2222-3333-4444-555555555555',
    issuedAt: undefined,
  });
});
