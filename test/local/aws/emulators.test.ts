import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  dynamoEngines,
  type Emulator,
  startDynamo,
  startS3Emulator,
  startSqs,
} from '../../../local/aws/emulators.ts';
import { createResources, operator } from '../../../local/runtime/resources.ts';
import type { Resource, Template } from '../../../local/runtime/template.ts';
import { itemSize } from '../../support/item-size.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

describe.each(dynamoEngines())('$name', (engine) => {
  it('has the table of the template, and keeps its rows in a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emulators-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const row = { pk: { S: 'a' }, sk: { S: 'b' }, lane: { S: 'poll' }, dueAt: { N: '1' } };

    const first = await startDynamo({ folder, engine });
    closers.push(first.stop);
    await createResources(template, { dynamodb: first.url, ...(await others(folder)) });
    await clientOf(first).send(new PutItemCommand({ TableName: 'Table', Item: row }));
    await first.stop();

    const second = await startDynamo({ folder, engine });
    closers.push(second.stop);
    await createResources(template, { dynamodb: second.url, ...(await others(folder)) });
    const { pk, sk } = row;
    const { Item } = await clientOf(second).send(new GetItemCommand({ TableName: 'Table', Key: { pk, sk } }));
    expect(Item).toEqual(row);
  });
});

const dynoxide = dynamoEngines().filter(({ name }) => name === 'dynoxide');

// The capacity that `npm run cost` counts. DynamoDB Local doubles index writes in a transaction, too.
it.each(dynoxide)('counts units as DynamoDB documents them: $name', async (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'emulators-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  const dynamo = await startDynamo({ engine });
  closers.push(dynamo.stop);
  await createResources(template, { dynamodb: dynamo.url, ...(await others(folder)) });
  const client = clientOf(dynamo);
  const Table = { TableName: 'Table' };
  const metered = { ...Table, ReturnConsumedCapacity: 'TOTAL' } as const;
  const put = async (row: Record<string, string | number>) =>
    (await client.send(new PutItemCommand({ ...metered, Item: marshall(row) }))).ConsumedCapacity
      ?.CapacityUnits;
  const filled = (bytes: number, row = { pk: 'filled', sk: 'row', text: '' }) => ({
    ...row,
    text: 'x'.repeat(bytes - itemSize(row)),
  });
  const transact = async (TransactItems: TransactWriteItem[]) => {
    const command = new TransactWriteItemsCommand({ TransactItems, ReturnConsumedCapacity: 'TOTAL' });
    return (await client.send(command)).ConsumedCapacity?.[0]?.CapacityUnits;
  };
  const get = async (pk: string, ConsistentRead: boolean) => {
    const Key = marshall({ pk, sk: 'row' });
    const { ConsumedCapacity } = await client.send(new GetItemCommand({ ...metered, Key, ConsistentRead }));
    return ConsumedCapacity?.CapacityUnits;
  };

  expect(await put(filled(1024))).toBe(1);
  expect(await put(filled(1025))).toBe(2);
  // The larger one of the row before and the row after.
  expect(await put(filled(1000))).toBe(2);
  const due = { pk: 'due', sk: 'row', lane: 'poll', dueAt: 1 };
  expect(await put(due)).toBe(1 + 1);
  // The index loses one entry and gains another.
  expect(await put({ ...due, dueAt: 2 })).toBe(1 + 2);
  expect(await put({ ...due, dueAt: 2 })).toBe(1);
  const check = {
    ConditionCheck: {
      ...Table,
      Key: marshall({ pk: 'none', sk: 'row' }),
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  };
  expect(await transact([{ Put: { ...Table, Item: marshall({ ...due, dueAt: 3 }) } }, check])).toBe(
    2 + 2 + 2,
  );
  expect(await put(filled(4097))).toBe(5);
  expect(await get('filled', true)).toBe(2);
  expect(await get('filled', false)).toBe(1);
  expect(await get('none', true)).toBe(1);
});

it('refuses an engine that does not run here by its name', async () => {
  vi.stubEnv('BRIDGE_DYNAMODB', 'other');
  await expect(startDynamo()).rejects.toThrow('BRIDGE_DYNAMODB names other');
  vi.unstubAllEnvs();
});

it('reports that DynamoDB has ended', async () => {
  const dying = await startDynamo({
    engine: { name: 'dynoxide', command: (port) => ['sh', '-c', serveThenEnd(port)] },
  });
  closers.push(dying.stop);
  expect(await dying.lost).toBe('dynoxide ended: gone');
});

describe('SQS', () => {
  it('has the queues of the template with their attributes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emulators-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const dynamo = await startDynamo();
    closers.push(dynamo.stop);
    const endpoints = await others(folder);
    await createResources(template, { dynamodb: dynamo.url, ...endpoints });

    const sqs = new SQSClient({ endpoint: endpoints.sqs, region: 'us-east-1', credentials: operator });
    closers.push(() => sqs.destroy());
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: `${endpoints.sqs}/000000000000/Queue`,
        AttributeNames: ['All'],
      }),
    );
    expect(Attributes).toMatchObject({
      VisibilityTimeout: '360',
      DelaySeconds: '0',
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:Dead',
        maxReceiveCount: 10,
      }),
    });
  });
});

const template = templateOf([
  [
    'AWS::DynamoDB::GlobalTable',
    'Table',
    {
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
        { AttributeName: 'lane', AttributeType: 'S' },
        { AttributeName: 'dueAt', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'lane', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      Replicas: [{ Region: 'us-east-1', DeletionProtectionEnabled: true }],
    },
  ],
  [
    'AWS::SQS::Queue',
    'Queue',
    {
      VisibilityTimeout: 360,
      SqsManagedSseEnabled: true,
      RedrivePolicy: { deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:Dead', maxReceiveCount: 10 },
    },
  ],
  ['AWS::SQS::Queue', 'Dead', { MessageRetentionPeriod: 1_209_600 }],
  ['AWS::S3::Bucket', 'videos', {}],
]);

function templateOf(
  resources: [type: string, logicalId: string, properties: Record<string, unknown>][],
): Template {
  const all: Resource[] = resources.map(([type, logicalId, properties]) => ({
    type,
    logicalId,
    path: logicalId,
    properties,
    identity: { ref: logicalId, attributes: {} },
  }));
  return { ofType: (type: string) => all.filter((each) => each.type === type) } as Template;
}

async function others(folder: string): Promise<{ sqs: string; s3: string }> {
  const sqs = await startSqs();
  const s3 = await startS3Emulator(join(folder, 's3'), (id) => id);
  closers.push(sqs.stop, s3.stop);
  return { sqs: sqs.url, s3: s3.url };
}

function clientOf({ url }: Emulator): DynamoDBClient {
  const client = new DynamoDBClient({ endpoint: url, region: 'us-east-1', credentials: operator });
  closers.push(() => client.destroy());
  return client;
}

/** A shell command that answers one HTTP request on a port as DynamoDB does, says `gone`, and ends. */
const serveThenEnd = (port: number) =>
  `exec "${process.execPath}" -e 'require("http").createServer((q, r) => r.end("{\\"TableNames\\":[]}", () => { console.log("gone"); process.exit(1); })).listen(${port}, "127.0.0.1")'`;
