import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { UPLOADS_CLIENT } from '../../lambdas/copy/uploads/uploads.ts';
import { startDynamo } from '../../local/aws/emulators.ts';
import { createBridgeTable } from '../../test/support/bridge-table.ts';

export const TABLE_NAME = 'bridge';
const AWS = { region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };

export const tableClient = (endpoint: string): DynamoDBClient => new DynamoDBClient({ ...AWS, endpoint });

/** Trusts what NODE_EXTRA_CA_CERTS named when the process began. */
export const sinkClient = (endpoint: string): S3Client =>
  new S3Client({ ...AWS, ...UPLOADS_CLIENT, endpoint, forcePathStyle: true });

/** A DynamoDB with the bridge's table. */
export async function startTable() {
  const dynamo = await startDynamo();
  const client = tableClient(dynamo.url);
  await createBridgeTable(client, TABLE_NAME);
  return {
    client,
    url: dynamo.url,
    stop: async () => {
      client.destroy();
      await dynamo.stop();
    },
  };
}
