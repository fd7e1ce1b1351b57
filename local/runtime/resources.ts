import { CreateTableCommand, DynamoDBClient, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { REGION } from './resource-types.ts';
import type { Resource, Template } from './template.ts';

/** Credentials of the one who started the bridge: tests, tools, people. IAM does not restrict them. */
export const operator = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Creates the tables, queues and buckets of the template in the emulators; those that are there stay as they are. */
export async function createResources(
  template: Template,
  endpoints: { dynamodb: string; sqs: string; s3: string },
): Promise<void> {
  const client = (endpoint: string) => ({ endpoint, region: REGION, credentials: operator });
  const dynamo = new DynamoDBClient(client(endpoints.dynamodb));
  const sqs = new SQSClient(client(endpoints.sqs));
  const s3 = new S3Client({ ...client(endpoints.s3), forcePathStyle: true });

  for (const table of template.ofType('AWS::DynamoDB::GlobalTable')) await createTable(dynamo, table);
  // Dead-letter queues come first: a redrive policy names a queue that exists.
  const queues = template.ofType('AWS::SQS::Queue');
  queues.sort((a, b) => Number('RedrivePolicy' in a.properties) - Number('RedrivePolicy' in b.properties));
  for (const queue of queues) await createQueue(sqs, queue);
  for (const bucket of template.ofType('AWS::S3::Bucket')) {
    await s3.send(new CreateBucketCommand({ Bucket: bucket.identity.ref })).catch((error: Error) => {
      if (error.name !== 'BucketAlreadyOwnedByYou') throw error;
    });
  }
  for (const each of [dynamo, sqs, s3]) each.destroy();
}

type TableDefinition = Pick<
  ConstructorParameters<typeof CreateTableCommand>[0],
  'AttributeDefinitions' | 'KeySchema' | 'GlobalSecondaryIndexes'
>;

async function createTable(client: DynamoDBClient, { identity, properties }: Resource): Promise<void> {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } =
    properties as unknown as TableDefinition;
  const indexes = GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => ({
    IndexName,
    KeySchema,
    Projection,
  }));
  try {
    await client.send(
      new CreateTableCommand({
        TableName: identity.ref,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions,
        KeySchema,
        ...(indexes && { GlobalSecondaryIndexes: indexes }),
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error; // kept from the last run
  }
}

const queueAttributes = [
  'VisibilityTimeout',
  'DelaySeconds',
  'ReceiveMessageWaitTimeSeconds',
  'MessageRetentionPeriod',
] as const;

async function createQueue(client: SQSClient, { logicalId, properties }: Resource): Promise<void> {
  const { RedrivePolicy } = properties;
  const attributes = Object.fromEntries(
    queueAttributes.filter((name) => name in properties).map((name) => [name, String(properties[name])]),
  );
  await client.send(
    new CreateQueueCommand({
      QueueName: logicalId,
      Attributes: {
        ...attributes,
        ...(RedrivePolicy ? { RedrivePolicy: JSON.stringify(RedrivePolicy) } : {}),
      },
    }),
  );
}
