import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { UPLOADS_CLIENT } from '../../lambdas/copy/uploads/uploads.ts';
import { startDynamo } from '../../local/aws/emulators.ts';

export const TABLE_NAME = 'bridge';
const AWS = { region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };

export const tableClient = (endpoint: string): DynamoDBClient => new DynamoDBClient({ ...AWS, endpoint });

/** Trusts what NODE_EXTRA_CA_CERTS named when the process began. */
export const sinkClient = (endpoint: string): S3Client =>
  new S3Client({ ...AWS, ...UPLOADS_CLIENT, endpoint, forcePathStyle: true });

/** A DynamoDB with what the copy stage needs of the bridge's table. */
export async function startTable() {
  const dynamo = await startDynamo();
  const client = tableClient(dynamo.url);
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
