import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createClient, type Doctor } from '../../client/client.ts';
import { readReceived } from '../../examples/cdk/smoke-test/read-received.ts';
import { type Received, type SmokeTestOptions, tryBridge } from '../../examples/cdk/smoke-test/try-bridge.ts';
import { VIDEO_FILE } from '../../examples/cdk/smoke-test.ts';
import { type Bridge, startBridge } from '../../local/bridge.ts';
import { HttpApi } from '../../local/runtime/http-api.ts';
import { REGION } from '../../local/runtime/resource-types.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';

const TABLE = 'received';
const BUCKET = 'assets';
const KEY = 'video.mp4';
const video = readFileSync(VIDEO_FILE);

let upstream: HttpApi;
let receiver: HttpApi;
let bridge: Bridge;
let options: SmokeTestOptions;

/** The functions of the example, each behind a URL as AWS gives it one. */
beforeAll(async () => {
  upstream = await HttpApi.listen(0);
  receiver = await HttpApi.listen(0);
  bridge = await startBridge({
    templateDir: await synthesize(),
    tickSeconds: 1,
    env: { TOPAZ_BASE_URL: upstream.url, ALLOW_LOOPBACK: 'true' },
    secrets: { TOPAZ_API_KEY_SECRET_ARN: randomUUID() },
  });
  await bridge.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await bridge.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: video }));
  await bridge.dynamo.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'requestId', AttributeType: 'S' },
        { AttributeName: 'receipt', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'requestId', KeyType: 'HASH' },
        { AttributeName: 'receipt', KeyType: 'RANGE' },
      ],
    }),
  );
  const functions = [
    [upstream, await import('../../examples/cdk/smoke-test/upstream/index.mjs')],
    [receiver, await import('../../examples/cdk/smoke-test/receiver/index.mjs')],
  ] as const;
  for (const [api, { handler }] of functions) api.open(handler, () => {});

  options = {
    bridge: createClient({ url: bridge.apiUrl, key: bridge.apiKey }),
    callbackUrl: `${receiver.url}/hooks`,
    received: (requestId) => readReceived(bridge.dynamo, TABLE, requestId),
    video,
    say: () => {},
    sleep,
    jobsBeganMs: Date.now() - 20_000,
  };
});

beforeEach(() => {
  vi.stubEnv('AWS_REGION', REGION);
  // DynamoDB Local takes letters and digits only.
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'smoketest');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'smoketest');
  vi.stubEnv('AWS_ENDPOINT_URL_S3', bridge.s3Endpoint);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', bridge.dynamodbEndpoint);
  vi.stubEnv('VIDEO_BUCKET', BUCKET);
  vi.stubEnv('VIDEO_KEY', KEY);
  vi.stubEnv('TABLE', TABLE);
});

afterAll(async () => {
  await bridge?.stop();
  await upstream?.close();
  await receiver?.close();
});

const FAULT: Doctor = {
  checks: [
    { name: 'alarms', state: 'failed', detail: 'The sweep does not run.', remedy: 'See the runbook.' },
  ],
  version: '0.1.0',
};

it('passes on a bridge that works, though an alarm rings at first', async () => {
  const said: string[] = [];
  const doctor = vi.fn(options.bridge.doctor).mockResolvedValueOnce(FAULT);
  await tryBridge({ ...options, bridge: { ...options.bridge, doctor }, say: (line) => said.push(line) });
  expect(said[0]).toBe('    a fault of alarms: The sweep does not run. See the runbook.');
  expect(said[1]).toBe('ok  the doctor finds no fault');
  expect(said.at(-1)).toBe('ok  both are purged');
  expect(said.join('\n')).toContain('the link in video.stored gives the video');
});

it('gives up on a fault that stays, which it names once', async () => {
  const say = vi.fn();
  const bridge = { ...options.bridge, doctor: async () => FAULT };
  await expect(tryBridge({ ...options, bridge, say, sleep: async () => {} })).rejects.toThrow(
    'It takes more than 5 minutes until the doctor finds no fault.',
  );
  expect(say.mock.calls).toEqual([['    a fault of alarms: The sweep does not run. See the runbook.']]);
});

it('names the broken promise', async () => {
  const received = async (requestId: string): Promise<Received[]> =>
    (await options.received(requestId)).map((each) => ({ ...each, body: `${each.body} ` }));
  await Promise.all([
    expect(tryBridge({ ...options, received })).rejects.toThrow(/The signature of msg_\w+ does not fit/),
    expect(tryBridge({ ...options, video: Buffer.from('another one') })).rejects.toThrow(
      'The stored video differs from its source.',
    ),
  ]);
});
