import { DynamoDBClient, ThrottlingException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test } from 'vitest';
import { startThrottlingProxy } from '../../bench/throttling/throttling-proxy.ts';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import { useDatabase } from '../support/dynamodb.ts';

const database = useDatabase();
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = opened.pop(); close; close = opened.pop()) await close();
});

/** A table behind a proxy whose bucket holds this many units and is never filled again; a write costs one. */
async function tableWith(units: number) {
  const { client, tableName } = database();
  const { protocol, hostname, port } = await client.config.endpoint!();
  const proxy = await startThrottlingProxy(`${protocol}//${hostname}:${port}`, {
    unitsPerSecond: units,
    unitsPerWrite: 1,
    now: () => 0,
  });
  const throttled = new DynamoDBClient({
    endpoint: proxy.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  opened.push(
    () => proxy.stop(),
    () => throttled.destroy(),
  );
  return { table: createTable(throttled, tableName), counts: proxy.counts };
}

test('the proxy refuses updates and transactions beyond its capacity, as DynamoDB does', async () => {
  const { table, counts } = await tableWith(2);
  const key = { pk: 'A', sk: 'A' };
  await table.write({ update: key, set: { n: 1 } });
  await table.transact([{ update: key, set: { n: 2 } }]);
  await expect(table.write({ update: key, set: { n: 3 } })).rejects.toThrow(ThrottlingException);
  await expect(table.transact([{ update: key, set: { n: 4 } }])).rejects.toThrow(
    TransactionCanceledException,
  );
  expect(await table.get(key)).toMatchObject({ n: 2 });
  expect(counts).toEqual({ admitted: 2, refused: 2 });
});
