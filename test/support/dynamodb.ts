import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { createTable, type Table } from '../../lambdas/adapters/dynamodb/table.ts';
import { AWS_CLIENT } from '../../lambdas/adapters/lambda/aws-client.ts';
import { type DynamoEngine, type Emulator, startDynamo } from '../../local/aws/emulators.ts';
import { createBridgeTable } from './bridge-table.ts';
import { addLaggingReads } from './lagging-reads.ts';
import { UNSIGNED } from './unsigned.ts';

/** A DynamoDB with the bridge's table in it, as `lib/bridge-table.ts` deploys it. Its reads lag behind its writes. */
export type TestDatabase = {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly table: Table;
  stop(): Promise<void>;
};

/** Creates the table with both indexes in a DynamoDB that other tests use, too. */
export async function startDatabase(engine?: DynamoEngine): Promise<TestDatabase> {
  const dynamo = await startServer(engine);
  const client = new DynamoDBClient({
    endpoint: dynamo.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    ...AWS_CLIENT,
    ...UNSIGNED,
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

const servers = new Map<DynamoEngine['name'] | undefined, Promise<Emulator>>();

/** One server of an engine for all files of tests that share a process, which ends with it. */
async function startServer(engine?: DynamoEngine): Promise<Emulator> {
  const server = servers.get(engine?.name) ?? startDynamo({ engine });
  servers.set(engine?.name, server);
  return { ...(await server), stop: async () => {} };
}

/** Creates the bridge's table, empty, and returns its name. */
export async function newTable(client: DynamoDBClient): Promise<string> {
  const tableName = `bridge-${randomUUID()}`;
  await createBridgeTable(client, tableName);
  return tableName;
}

/** One table for a test file. */
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
