import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamo } from '../../local/emulators.ts';

export const TABLE_NAME = 'bridge';
export const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' };

/** A DynamoDB with what the copy stage needs of the bridge's table. */
export async function startTable() {
  const dynamo = await startDynamo();
  const client = new DynamoDBClient({ endpoint: dynamo.url, region: 'us-east-1', credentials: CREDENTIALS });
  const attribute = (AttributeName: string, AttributeType: 'S' | 'N') => ({ AttributeName, AttributeType });
  const keys = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: range, KeyType: 'RANGE' as const },
  ];
  await client.send(
    new CreateTableCommand({
      TableName: TABLE_NAME,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        ...['pk', 'sk', 'lane'].map((name) => attribute(name, 'S')),
        attribute('dueAt', 'N'),
      ],
      KeySchema: keys('pk', 'sk'),
      GlobalSecondaryIndexes: [
        { IndexName: 'due', KeySchema: keys('lane', 'dueAt'), Projection: { ProjectionType: 'KEYS_ONLY' } },
      ],
    }),
  );
  return {
    client,
    url: dynamo.url,
    stop: async () => {
      client.destroy();
      await dynamo.stop();
    },
  };
}
