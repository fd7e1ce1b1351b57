import { equals, type Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { EndpointSecret } from '../domain/delivering/endpoint.ts';
import { newSecret, SECRET_BYTES } from '../domain/delivering/signing-secret.ts';
import { callbackSecretKey } from '../domain/rows.ts';
import { createSecretRow } from './secret-row.ts';

type CallbackSecrets = { readonly secrets: readonly EndpointSecret[] };

/** The secrets that sign per-request callbacks. */
export function createCallbackSecrets(
  table: Pick<Table, 'get' | 'write'>,
  randomBytes: (count: number) => Uint8Array,
) {
  const row = createSecretRow<CallbackSecrets>(table, callbackSecretKey, () => ({
    secrets: [{ secret: newSecret(randomBytes(SECRET_BYTES)) }],
  }));

  /** All that are stored, the current one first; old ones may have expired. */
  const read = async (): Promise<readonly EndpointSecret[]> => (await row()).secrets;

  /** Replaces them, if they have not changed since they were read. */
  const replacement = (read: readonly EndpointSecret[], secrets: readonly EndpointSecret[]): Write => ({
    update: callbackSecretKey,
    set: { secrets },
    if: [equals('secrets', read)],
  });

  return { read, replacement };
}
