import { absent } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { RowKey } from '../domain/work.ts';

/** Reads the row of a secret, which is made when first needed: workers that need it at once use the same one. */
export function createSecretRow<Content extends object>(
  table: Pick<Table, 'get' | 'write'>,
  key: RowKey,
  make: () => Content,
): () => Promise<Content> {
  return () =>
    optimistic(async () => {
      const row = await table.get<RowKey & Content>(key);
      if (row) return row;
      const content = make();
      await table.write({ put: { ...key, ...content }, if: [absent('pk')] });
      return content;
    });
}
