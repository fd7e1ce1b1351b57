import { type DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Expiry } from '../../../local/aws/expiry.ts';
import { seededRandom } from '../../../local/aws/random.ts';
import { startDatabase, type TestDatabase } from '../../support/dynamodb.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database?.stop());

it('deletes expired rows in no order, over several passes, and no others', async () => {
  const { client, tableName } = database;
  const put = (n: number, expiresAt: number) =>
    client.send(
      new PutItemCommand({
        TableName: tableName,
        Item: { pk: { S: 'p' }, sk: { S: String(n).padStart(2, '0') }, expiresAt: { N: String(expiresAt) } },
      }),
    );
  for (let n = 0; n < 20; n++) await put(n, 100);
  await put(20, 300);
  const left = async () => {
    const { Items = [] } = await client.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
    return Items.map(({ sk }) => Number(sk?.S)).toSorted((a, b) => a - b);
  };
  const settings = { table: tableName, key: ['pk', 'sk'], attribute: 'expiresAt' };
  const expiry = new Expiry(client as DynamoDBClient, settings, seededRandom(3));

  expect(await expiry.pass(100_000)).toBe(0);
  expect(await expiry.pass(200_000)).toBeGreaterThan(0);
  const some = await left();
  expect(some.length).toBeGreaterThan(3);
  expect(some.length).toBeLessThan(20);
  const gone = Array.from({ length: 20 }, (_, n) => n).filter((n) => !some.includes(n));
  expect(gone).not.toEqual(gone.map((_, n) => n)); // not the oldest ones first
  for (let pass = 0; pass < 30; pass++) await expiry.pass(200_000);
  expect(await left()).toEqual([20]);
});
