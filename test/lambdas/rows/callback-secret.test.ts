import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { isSecret } from '../../../lambdas/domain/delivering/signing-secret.ts';
import { createCallbackSecrets } from '../../../lambdas/rows/callback-secret.ts';
import { useDatabase } from '../../support/dynamodb.ts';

const database = useDatabase();

test('the secret is made once, however many need it first, and replaced only as it was read', async () => {
  const { table } = database();
  const secrets = createCallbackSecrets(table, randomBytes);
  const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => secrets.read()));
  expect(isSecret(first?.[0]?.secret ?? '')).toBe(true);
  for (const other of others) expect(other).toEqual(first);

  const next = [{ secret: 'whsec_b' }, { secret: 'whsec_a', expiresAt: 5 }];
  await table.write(secrets.replacement(first ?? [], next));
  expect(await secrets.read()).toEqual(next);
  await expect(table.write(secrets.replacement(first ?? [], []))).rejects.toThrow(ConditionFailed);
});
