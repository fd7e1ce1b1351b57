import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMetricHistory } from '../../../lambdas/api/stats/metric-history.ts';
import { startDynamo, startS3Emulator, startSqs } from '../../../local/aws/emulators.ts';
import { type AwsCall, type Fault, FrontDoor } from '../../../local/aws/front-door.ts';
import { policiesOf, type RolePolicies } from '../../../local/aws/iam.ts';
import { Metrics } from '../../../local/aws/metrics.ts';
import type { PutEvent } from '../../../local/aws/stubs.ts';
import { createResources } from '../../../local/runtime/resources.ts';
import type { Resource, Template } from '../../../local/runtime/template.ts';

const closers: (() => unknown)[] = [];
const events: PutEvent[] = [];
const logged: string[] = [];
const metrics = new Metrics();
let door: FrontDoor;
let unsettled: string | undefined;

const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/Table';
const row = (pk: string) => ({ pk: { S: pk }, sk: { S: 'x' } });

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'front-door-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  door = await FrontDoor.listen();
  const dynamodb = await startDynamo();
  const sqs = await startSqs();
  const s3 = await startS3Emulator(join(folder, 's3'), (id) => (id === 'local' ? id : 'secret'));
  closers.push(dynamodb.stop, sqs.stop, s3.stop, () => door.close());
  const upstreams = { dynamodb: dynamodb.url, sqs: sqs.url, s3: s3.url };
  await createResources(template, upstreams);
  door.open({
    callers: new Map([
      [
        'Writer',
        {
          name: 'writer',
          policies: allowing(['dynamodb:PutItem', TABLE], ['s3:*', 'arn:aws:s3:::videos/*']),
        },
      ],
      ['Lister', { name: 'lister', policies: allowing(['s3:*', '*']) }],
      ['Nobody', { name: 'nobody', policies: allowing() }],
      ['local', { name: 'operator' }],
    ]),
    upstreams,
    isSettled: (caller) => caller !== unsettled,
    findSecret: (id) => (id === 'arn:s' ? { arn: 'arn:s', name: 's', value: 'v' } : undefined),
    onEvent: (event) => events.push(event),
    monitoring: { GetMetricData: (body) => metrics.getMetricData(body) },
    log: (line) => logged.push(line),
  });
});
afterEach(() => {
  door.faults = () => undefined;
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

describe('the front door', () => {
  it('sums up the metrics that functions write to their logs, as CloudWatch does', async () => {
    const minute = 60_000;
    const start = Math.floor(Date.parse('2026-11-23T20:00:00Z') / minute) * minute;
    const line = (at: number, value: number, service: string) =>
      JSON.stringify({
        _aws: {
          Timestamp: at,
          CloudWatchMetrics: [
            { Namespace: 'WebhookBridge', Dimensions: [['service']], Metrics: [{ Name: 'Polls' }] },
          ],
        },
        service,
        Polls: value,
      });
    for (const [at, value] of [
      [start + 1_000, 2],
      [start + 59_000, 3],
      [start + minute, 5],
      [start + 61 * minute, 7],
    ] as const)
      metrics.record(line(at, value, 'mine'));
    metrics.record(line(start, 100, 'another'));
    metrics.record('a line that mentions "_aws" and is no JSON');
    const client = new CloudWatchClient({
      region: 'us-east-1',
      endpoint: door.url,
      credentials: { accessKeyId: 'local', secretAccessKey: 'secret' },
    });
    const history = createMetricHistory(client, 'mine');
    const points = await history(['Polls', 'Transitions'], start, start + 60 * minute, minute);
    expect(points.get('Polls')).toEqual([
      { at: start, value: 5 },
      { at: start + minute, value: 5 },
    ]);
    expect(points.get('Transitions')).toEqual([]);
    client.destroy();
  });

  it('passes on what the policies of the caller allow', async () => {
    await dynamo('Writer').send(new PutItemCommand({ TableName: 'Table', Item: row('a') }));
    const { Item } = await dynamo('local').send(new GetItemCommand({ TableName: 'Table', Key: row('a') }));
    expect(Item).toEqual(row('a'));
  });

  it('refuses what they do not, as DynamoDB does', async () => {
    const refused = dynamo('Writer').send(new GetItemCommand({ TableName: 'Table', Key: row('a') }));
    await expect(refused).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message:
        'User: arn:aws:sts::000000000000:assumed-role/Role/writer is not authorized to perform: dynamodb:GetItem ' +
        `on resource: ${TABLE} because no identity-based policy allows the dynamodb:GetItem action`,
    });
  });

  it('refuses what they allow until they hold, and tells that apart in its log', async () => {
    const put = () => dynamo('Writer').send(new PutItemCommand({ TableName: 'Table', Item: row('early') }));
    unsettled = 'writer';
    await expect(put()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    unsettled = undefined;
    expect(logged.at(-1)).toMatch(/^front door: before the policies hold, User: .*dynamodb:PutItem/);
    await put();
  });

  it('refuses a transaction for one item that is not allowed, and writes none', async () => {
    const mixed = dynamo('Writer').send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName: 'Table', Item: row('t') } },
          { Delete: { TableName: 'Table', Key: row('a') } },
        ],
      }),
    );
    await expect(mixed).rejects.toThrow('dynamodb:DeleteItem');
    const { Item } = await dynamo('local').send(new GetItemCommand({ TableName: 'Table', Key: row('t') }));
    expect(Item).toBeUndefined();
  });

  it('refuses as SQS, S3, Secrets Manager and EventBridge do', async () => {
    const queue = new SendMessageCommand({ QueueUrl: queueUrl(), MessageBody: 'x' });
    await expect(client(SQSClient, 'Nobody').send(queue)).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    const put = new PutObjectCommand({ Bucket: 'videos', Key: 'k', Body: 'x' });
    await expect(s3('Nobody').send(put)).rejects.toMatchObject({ name: 'AccessDenied' });
    const secret = client(SecretsManagerClient, 'Nobody').send(
      new GetSecretValueCommand({ SecretId: 'arn:s' }),
    );
    await expect(secret).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const event = client(EventBridgeClient, 'Nobody').send(
      new PutEventsCommand({ Entries: [{ Source: 'x' }] }),
    );
    await expect(event).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(logged.join()).toContain('sqs:SendMessage');
  });

  it('refuses a caller that it does not know, and one without a signature', async () => {
    const stranger = dynamo('Stranger').send(new GetItemCommand({ TableName: 'Table', Key: row('a') }));
    await expect(stranger).rejects.toThrow('Stranger');
    expect((await fetch(`${door.url}/videos/k`)).status).toBe(403);
  });

  it('passes bodies through to S3 unchanged, signatures and checksums with them', async () => {
    const body = randomBytes(6 * 1024 * 1024);
    await s3('Writer').send(new PutObjectCommand({ Bucket: 'videos', Key: 'big file', Body: body }));
    const { Body } = await s3('Writer').send(new GetObjectCommand({ Bucket: 'videos', Key: 'big file' }));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
  });

  it('knows the caller of a presigned URL, which works for anyone and as long as the caller may', async () => {
    await s3('Writer').send(new PutObjectCommand({ Bucket: 'videos', Key: 'signed', Body: 'hello' }));
    const get = new GetObjectCommand({ Bucket: 'videos', Key: 'signed' });
    expect(await (await fetch(await getSignedUrl(s3('Writer'), get))).text()).toBe('hello');
    expect((await fetch(await getSignedUrl(s3('Nobody'), get))).status).toBe(403);
  });

  it('hides that an object is missing from a caller that may not list the bucket', async () => {
    const missing = { Bucket: 'videos', Key: 'missing' };
    await expect(s3('Writer').send(new GetObjectCommand(missing))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(s3('Writer').send(new HeadObjectCommand(missing))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    await expect(s3('Lister').send(new GetObjectCommand(missing))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
  });

  it('answers for Secrets Manager and EventBridge', async () => {
    const secrets = client(SecretsManagerClient, 'local');
    expect(await secrets.send(new GetSecretValueCommand({ SecretId: 'arn:s' }))).toMatchObject({
      SecretString: 'v',
    });
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 'arn:t' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    const entry = { EventBusName: 'bus', Source: 's', DetailType: 't', Detail: '{}' };
    const answer = await client(EventBridgeClient, 'local').send(new PutEventsCommand({ Entries: [entry] }));
    expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    expect(events).toEqual([entry]);
  });

  it('counts calls by caller and operation, refused ones too', async () => {
    const before = door.counts().nobody?.['dynamodb:PutItem'] ?? 0;
    const put = new PutItemCommand({ TableName: 'Table', Item: row('a') });
    await expect(dynamo('Nobody').send(put)).rejects.toThrow();
    await expect(dynamo('Nobody').send(put)).rejects.toThrow();
    expect(door.counts().nobody?.['dynamodb:PutItem']).toBe(before + 2);
  });
});

describe('a fault', () => {
  it('loses the request before anything happened', async () => {
    const calls = faultOnce({ kind: 'lose-request' });
    const put = new PutItemCommand({
      TableName: 'Table',
      Item: row('lost'),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await dynamo('Writer', 2).send(put);
    expect(calls).toHaveLength(2);
  });

  it('loses the answer after the service has acted', async () => {
    faultOnce({ kind: 'lose-answer' });
    const put = new PutItemCommand({
      TableName: 'Table',
      Item: row('unheard'),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await expect(dynamo('Writer', 2).send(put)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
    });
  });

  it('loses the answer of S3, which has stored the object', async () => {
    faultOnce({ kind: 'lose-answer' });
    await expect(
      s3('Lister').send(new PutObjectCommand({ Bucket: 'videos', Key: 'u', Body: 'x' })),
    ).rejects.toThrow();
    await s3('Lister').send(new HeadObjectCommand({ Bucket: 'videos', Key: 'u' }));
  });

  it('answers with an error of its own', async () => {
    faultOnce({ kind: 'error', status: 400, code: 'ThrottlingException', message: 'slow down' });
    const put = new PutItemCommand({ TableName: 'Table', Item: row('a') });
    await expect(dynamo('Writer').send(put)).rejects.toMatchObject({
      name: 'ThrottlingException',
      message: 'slow down',
    });
  });

  it('lets a late call come through behind one that was sent after it', async () => {
    const end = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    faultOnce({ kind: 'delay', until: end.promise }, arrived.resolve);
    const put = () =>
      dynamo('Writer').send(
        new PutItemCommand({
          TableName: 'Table',
          Item: row('late'),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    const late = put();
    await arrived.promise;
    await put();
    end.resolve();
    await expect(late).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  });

  it('is chosen by caller, operation and body', async () => {
    const calls = faultOnce(undefined);
    await dynamo('Writer').send(new PutItemCommand({ TableName: 'Table', Item: row('b') }));
    await s3('Writer').send(new PutObjectCommand({ Bucket: 'videos', Key: 'k', Body: 'x' }));
    expect(calls).toEqual([
      {
        caller: 'writer',
        service: 'dynamodb',
        operation: 'PutItem',
        body: { TableName: 'Table', Item: row('b') },
      },
      { caller: 'writer', service: 's3', operation: 'PutObject' },
    ]);
  });
});

/** Lets the next call suffer the fault, and tells when it has arrived; returns the calls from then on. */
function faultOnce(fault: Fault | undefined, arrived?: () => void): AwsCall[] {
  const calls: AwsCall[] = [];
  door.faults = (call) => {
    if (calls.push(call) > 1) return undefined;
    arrived?.();
    return fault;
  };
  return calls;
}

function client<T extends { destroy(): void }>(
  Client: new (config: object) => T,
  accessKeyId: string,
  maxAttempts = 1,
): T {
  const made = new Client({
    region: 'us-east-1',
    endpoint: door.url,
    credentials: { accessKeyId, secretAccessKey: 'secret' },
    maxAttempts,
  });
  closers.push(() => made.destroy());
  return made;
}
const dynamo = (accessKeyId: string, maxAttempts?: number) =>
  client(DynamoDBClient, accessKeyId, maxAttempts);
const s3 = (accessKeyId: string) => client(S3Client, accessKeyId);
const queueUrl = () => `${door.url}/000000000000/Queue`;

function allowing(...permissions: [action: string, resource: string][]): RolePolicies {
  const Statement = permissions.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource }));
  const role = resource('AWS::IAM::Role', 'Role', { Policies: [{ PolicyDocument: { Statement } }] });
  role.identity.attributes.Arn = 'arn:aws:iam::000000000000:role/Role';
  return policiesOf(template, role);
}

const template = {
  ofType: (type: string) =>
    [
      resource('AWS::S3::Bucket', 'videos', {}),
      resource('AWS::SQS::Queue', 'Queue', {}),
      resource('AWS::DynamoDB::GlobalTable', 'Table', {
        AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    ].filter((each) => each.type === type),
} as Template;

function resource(type: string, logicalId: string, properties: Record<string, unknown>): Resource {
  return { type, logicalId, path: logicalId, properties, identity: { ref: logicalId, attributes: {} } };
}
