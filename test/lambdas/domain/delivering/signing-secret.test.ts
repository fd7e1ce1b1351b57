import { expect, test } from 'vitest';
import {
  isSecret,
  newSecret,
  rotated,
  validSecrets,
} from '../../../../lambdas/domain/delivering/signing-secret.ts';

const NOW = 1_000_000;
const DAY = 86_400_000;

test.each([
  [23, false],
  [24, true],
  [64, true],
  [65, false],
])('a secret of %i bytes is one: %s', (bytes, valid) => {
  expect(isSecret(newSecret(new Uint8Array(bytes).fill(7)))).toBe(valid);
});

test('a secret has its prefix and canonical base64', () => {
  const secret = newSecret(new Uint8Array(32).fill(255));
  expect(isSecret(secret.slice('whsec_'.length))).toBe(false);
  expect(isSecret(secret.replaceAll('/', '_'))).toBe(false);
  expect(isSecret(`${secret} `)).toBe(false);
});

test('after a rotation both secrets are valid until the overlap ends', () => {
  const secrets = rotated([{ secret: 'a' }], 'b', NOW, DAY);
  expect(secrets).toEqual([{ secret: 'b' }, { secret: 'a', expiresAt: NOW + DAY }]);
  expect(validSecrets(secrets, NOW + DAY - 1)).toHaveLength(2);
  expect(validSecrets(secrets, NOW + DAY)).toEqual([{ secret: 'b' }]);
});

test('a second rotation does not prolong the first old secret', () => {
  const once = rotated([{ secret: 'a' }], 'b', NOW, DAY);
  expect(rotated(once, 'c', NOW + 1, DAY)).toEqual([
    { secret: 'c' },
    { secret: 'b', expiresAt: NOW + 1 + DAY },
    { secret: 'a', expiresAt: NOW + DAY },
  ]);
});

test('a rotation without overlap drops the old secret at once', () => {
  expect(rotated([{ secret: 'a' }], 'b', NOW, 0)).toEqual([{ secret: 'b' }]);
});

test('rotating to the same secret keeps it current and once', () => {
  expect(rotated([{ secret: 'a' }], 'a', NOW, DAY)).toEqual([{ secret: 'a' }]);
});

test('many rotations keep the number of signatures small', () => {
  let secrets = rotated([], '0', NOW, DAY);
  for (let n = 1; n <= 20; n++) secrets = rotated(secrets, String(n), NOW, DAY);
  expect(secrets.map(({ secret }) => secret)).toEqual(['20', '19', '18', '17', '16']);
});
