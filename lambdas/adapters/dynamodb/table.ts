import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createReads } from './reads.ts';
import { withUpgradedRows } from './upgraded-rows.ts';
import { createWrites } from './writes.ts';

export type Table = ReturnType<typeof createTable>;

/** The one table, over a real client: reads, single writes and transactions. */
export function createTable(client: DynamoDBClient, tableName: string, random: () => number = Math.random) {
  const reads = createReads(client, tableName, random);
  return withUpgradedRows({ ...reads, ...createWrites(client, tableName, reads.get, random) });
}
