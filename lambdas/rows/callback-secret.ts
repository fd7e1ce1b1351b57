import { absent, equals, type Write } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { EndpointSecret } from '../domain/delivering/endpoint.ts';
import { newSecret, SECRET_BYTES } from '../domain/delivering/signing-secret.ts';
import { callbackSecretKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

type CallbackSecretRow = RowKey & { secrets: EndpointSecret[] };

/** The secrets that sign per-request callbacks. */
export function createCallbackSecrets(
  table: Pick<Table, 'get' | 'write'>,
  randomBytes: (count: number) => Uint8Array,
) {
  /**
   * All that are stored, the current one first; old ones may have expired. Made when first needed:
   * two workers that need it at once use the same one.
   */
  const read = (): Promise<readonly EndpointSecret[]> =>
    optimistic(async () => {
      const row = await table.get<CallbackSecretRow>(callbackSecretKey);
      if (row) return row.secrets;
      const secrets = [{ secret: newSecret(randomBytes(SECRET_BYTES)) }];
      await table.write({ put: { ...callbackSecretKey, secrets }, if: [absent('pk')] });
      return secrets;
    });

  /** Replaces them, if they have not changed since they were read. */
  const replacement = (read: readonly EndpointSecret[], secrets: readonly EndpointSecret[]): Write => ({
    update: callbackSecretKey,
    set: { secrets },
    if: [equals('secrets', read)],
  });

  return { read, replacement };
}
