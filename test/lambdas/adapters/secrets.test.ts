import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { createSecret } from '../../../lambdas/adapters/secrets.ts';

const OUTAGE = new Error('Secrets Manager is not available');

/** Answers with one value after the other, and with the last one from then on. */
function farSide(...values: (string | undefined | Error)[]) {
  const asked: unknown[] = [];
  const send = async ({ input }: { input: unknown }) => {
    asked.push(input);
    const value = values.length > 1 ? values.shift() : values[0];
    if (value instanceof Error) throw value;
    return { SecretString: value };
  };
  return { asked, client: { send } as unknown as SecretsManagerClient };
}

test('a value is used for a minute and then read again', async () => {
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

test('during an outage the last value is used for an hour, and read again every minute', async () => {
  let now = 0;
  const { asked, client } = farSide('last', OUTAGE);
  const read = createSecret(client, 'arn', () => now);
  await read();
  now = 60_000;
  expect(await read()).toBe('last');
  now = 119_999;
  expect(await read()).toBe('last');
  expect(asked).toHaveLength(2);
  now = 3_599_999;
  expect(await read()).toBe('last');
  expect(await read({ fresh: true })).toBe('last');
  now = 3_600_000;
  await expect(read({ fresh: true })).rejects.toBe(OUTAGE);
});

test('after an outage the new value is used at the next read', async () => {
  let now = 0;
  const read = createSecret(farSide('old', OUTAGE, 'new').client, 'arn', () => now);
  await read();
  now = 60_000;
  expect(await read()).toBe('old');
  now = 120_000;
  expect(await read()).toBe('new');
});

test('an outage before the first read is an error', async () => {
  await expect(createSecret(farSide(OUTAGE).client, 'arn', () => 0)()).rejects.toBe(OUTAGE);
});

test('a value that was taken out of the secret is not used any more', async () => {
  let now = 0;
  const read = createSecret(farSide('old', undefined).client, 'arn', () => now);
  await read();
  now = 60_000;
  await expect(read()).rejects.toThrow('has no text');
});
