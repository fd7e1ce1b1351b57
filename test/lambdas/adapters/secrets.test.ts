import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { createSecret } from '../../../lambdas/adapters/secrets.ts';

function farSide(...values: (string | undefined)[]) {
  const asked: unknown[] = [];
  const send = async ({ input }: { input: unknown }) => {
    asked.push(input);
    return { SecretString: values.length > 1 ? values.shift() : values[0] };
  };
  return { asked, client: { send } as unknown as SecretsManagerClient };
}

test('a value is used for a minute and then read anew', async () => {
  let now = 0;
  const { asked, client } = farSide('old', 'new');
  const read = createSecret(client, 'arn', () => now);
  expect(await read()).toBe('old');
  now = 59_999;
  expect(await read()).toBe('old');
  now = 60_000;
  expect(await read()).toBe('new');
  expect(asked).toEqual([{ SecretId: 'arn' }, { SecretId: 'arn' }]);
});

test('a fresh read passes the cache, and fills it', async () => {
  const { asked, client } = farSide('old', 'new');
  const read = createSecret(client, 'arn', () => 0);
  await read();
  expect(await read({ fresh: true })).toBe('new');
  expect(await read()).toBe('new');
  expect(asked).toHaveLength(2);
});

test('a secret without text is an error that names it and the remedy', async () => {
  const read = createSecret(farSide(undefined).client, 'arn:topaz', () => 0);
  await expect(read()).rejects.toThrow('Secret arn:topaz has no text: put a value into it');
});
