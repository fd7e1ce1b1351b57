import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { createTable, type Table } from '../../lambdas/adapters/dynamodb/table.ts';
import { type DynamoEngine, type Emulator, startDynamo } from '../../local/aws/emulators.ts';
import { createBridgeTable } from './bridge-table.ts';
import { addLaggingReads } from './lagging-reads.ts';

/** A DynamoDB with the bridge's table in it, as `lib/bridge-table.ts` deploys it. Its reads lag behind its writes. */
export type TestDatabase = {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly table: Table;
  stop(): Promise<void>;
};

/** Starts DynamoDB on a free port and creates the table with both indexes. */
export async function startDatabase(engine?: DynamoEngine): Promise<TestDatabase> {
  const dynamo = await startServer(engine);
  const client = new DynamoDBClient({
    endpoint: dynamo.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  addLaggingReads(client);
  const tableName = await newTable(client);
  return {
    client,
    tableName,
    table: createTable(client, tableName),
    stop: async () => {
      client.destroy();
      await dynamo.stop();
    },
  };
}

let slowServer: Promise<Emulator> | undefined;

/** A server of its own, except where the start takes seconds: then one for the test file, which ends with it. */
async function startServer(engine?: DynamoEngine): Promise<Emulator> {
  if (engine || process.env.BRIDGE_DYNAMODB !== 'DynamoDB Local') return startDynamo({ engine });
  slowServer ??= startDynamo();
  return { ...(await slowServer), stop: async () => {} };
}

/** Creates the bridge's table, empty, and returns its name. */
export async function newTable(client: DynamoDBClient): Promise<string> {
  const tableName = `bridge-${randomUUID()}`;
  await createBridgeTable(client, tableName);
  return tableName;
}

/** One database for a test file: started before its tests and stopped after them. */
export function useDatabase(): () => TestDatabase {
  let database: TestDatabase | undefined;
  beforeAll(async () => {
    database = await startDatabase();
  });
  afterAll(async () => {
    await database?.stop();
  });
  return () => {
    if (!database) throw new Error('the database is there only while tests run: call this inside one');
    return database;
  };
}
