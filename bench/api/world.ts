import { randomBytes } from 'node:crypto';
import { BatchWriteItemCommand, DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import { AWS_CLIENT } from '../../lambdas/adapters/lambda/aws-client.ts';
import { createVideoLinks } from '../../lambdas/adapters/video-link.ts';
import { createApi } from '../../lambdas/api/app.ts';
import { createSignGet } from '../../lambdas/api/requests/sign-get.ts';
import { newRequest } from '../../lambdas/domain/requests/registration.ts';
import { countChanges } from '../../lambdas/domain/requests/request-counts.ts';
import { createHints } from '../../lambdas/engine/hints.ts';
import { countWrites } from '../../lambdas/rows/request-counts.ts';
import { startDynamo } from '../../local/aws/emulators.ts';
import { createBridgeTable } from '../../test/support/bridge-table.ts';
import { createReplay, type HttpAnswer, type HttpRequest } from './replay.ts';
import { uuid } from './uuid.ts';

/** The api stage's handler over a table in an emulator, with the AWS calls that it makes counted. */
export type ApiWorld = {
  readonly call: (method: string, url: string, body?: unknown) => Promise<{ status: number; body: unknown }>;
  readonly aws: () => AwsCalls;
  /** Makes the calls of `play`; the result makes them again, with the same answers from DynamoDB but without it. */
  readonly record: (play: () => Promise<unknown>) => Promise<() => Promise<void>>;
  /** Tracks requests up to so many, past the API. */
  readonly fill: (count: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Calls to AWS, and how many of them had to wait for an earlier one: calls at once are one round. */
type AwsCalls = { readonly calls: number; readonly rounds: number };

const KEY = 'bench-key';
const ROWS_PER_WRITE = 25;
const WRITES_AT_ONCE = 8;

/** @param latencyMs how long each recorded answer takes */
export async function startApiWorld(latencyMs: number): Promise<ApiWorld> {
  const dynamo = await startDynamo();
  const connection = {
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  };
  const client = new DynamoDBClient({ ...connection, endpoint: dynamo.url });
  const tableName = 'bridge';
  await createBridgeTable(client, tableName);

  let calls = 0;
  let rounds = 0;
  let underWay = 0;
  async function count<T>(send: () => Promise<T>): Promise<T> {
    calls++;
    if (underWay++ === 0) rounds++;
    return send().finally(() => underWay--);
  }

  const replay = createReplay(latencyMs);
  const counted = new DynamoDBClient({ ...AWS_CLIENT, ...connection, endpoint: dynamo.url });
  counted.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as HttpRequest;
      return count(async () => {
        let output: unknown;
        const response = await replay.send(request, async () => {
          const result = await next(args);
          output = result.output;
          return result.response as HttpAnswer;
        });
        return { response, output } as Awaited<ReturnType<typeof next>>;
      });
    },
    // After the signature, where answers are bytes.
    { step: 'deserialize', priority: 'low', name: 'count' },
  );
  const sqs = { send: () => count(async () => ({})) } as unknown as SQSClient;

  const table = createTable(counted, tableName);
  const now = Date.now;
  const linkSecret = async () => 'link-secret';
  const url = 'http://127.0.0.1/queue';
  const handler = createApi({
    table,
    metricHistory: async () => new Map(),
    deployment: {
      messages: async () => ({ waiting: [], dead: 0 }),
      bucket: async () => 'there',
      alarms: async () => [],
    },
    hints: createHints({
      client: sqs,
      queueUrls: { poll: url, copy: url, dispatch: url, deliver: url, 'deliver-slow': url },
      now,
      onLost: (_, __, error) => {
        throw error;
      },
    }),
    now,
    randomBytes,
    apiKeys: async () => JSON.stringify({ keys: [{ id: 'bench', key: KEY, role: 'admin' }] }),
    linkSecret,
    signGet: createSignGet(new S3Client(connection), now),
    videoLink: createVideoLinks({ secret: linkSecret, publicUrl: 'https://bridge.example', linkDays: 7 }),
    sleep: async () => {},
    maxWaits: 5,
    retentionDays: 30,
    allowLoopback: false,
  });

  async function call(method: string, path: string, body?: unknown) {
    const [rawPath = '', rawQueryString = ''] = path.split('?');
    const event = {
      version: '2.0',
      routeKey: '$default',
      rawPath,
      rawQueryString,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      ...(rawQueryString
        ? { queryStringParameters: Object.fromEntries(new URLSearchParams(rawQueryString)) }
        : {}),
      requestContext: { http: { method, path: rawPath }, requestId: 'bench' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      isBase64Encoded: false,
    } as unknown as APIGatewayProxyEventV2;
    const result = (await handler(event, {} as Context)) as APIGatewayProxyStructuredResultV2;
    return { status: result.statusCode ?? 0, body: JSON.parse(result.body || 'null') };
  }

  let filled = 0;
  async function fill(count: number): Promise<void> {
    const rows: Record<string, unknown>[] = [];
    const began = Date.now() - 3_600_000;
    for (; filled < count; filled++) {
      const registration = { requestId: uuid(`filled ${filled}`), metadata: { order: String(filled) } };
      const { request, meta, outbox } = newRequest(registration, began + filled);
      // Due in a day, so that nothing is overdue.
      rows.push({ ...request, status: 'processing', dueAt: request.dueAt + 86_400_000 }, meta, outbox);
      const changes = countChanges(undefined, { ...request, status: 'processing' });
      if (filled % 1_000 === 0) {
        const thousand = Array.from({ length: Math.min(1_000, count - filled) }, () => changes).flat();
        await Promise.all(countWrites(thousand, request.requestId).map((write) => table.write(write)));
      }
      if (rows.length >= ROWS_PER_WRITE * WRITES_AT_ONCE) await write(rows.splice(0));
    }
    await write(rows);
  }

  async function write(rows: readonly Record<string, unknown>[]): Promise<void> {
    const requests = rows.map(
      (row): WriteRequest => ({ PutRequest: { Item: marshall(row, { removeUndefinedValues: true }) } }),
    );
    const batches = Array.from({ length: Math.ceil(requests.length / ROWS_PER_WRITE) }, (_, n) =>
      requests.slice(n * ROWS_PER_WRITE, (n + 1) * ROWS_PER_WRITE),
    );
    await Promise.all(
      batches.map((batch) =>
        client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: batch } })),
      ),
    );
  }

  async function stop(): Promise<void> {
    client.destroy();
    counted.destroy();
    await dynamo.stop();
  }

  return { call, aws: () => ({ calls, rounds }), record: replay.record, fill, stop };
}
