import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, ListTablesCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ApiClient } from '../local/api-client.ts';
import { type ReceivedWebhook, startReceiver } from '../local/receiver.ts';
import { startTopaz } from '../local/topaz/server.ts';
import { generatedSha256 } from '../local/topaz/video.ts';

const TOPAZ_KEY = randomUUID();
const SIZE = 48_000_000;
const MAX_WAIT = { timeout: 180_000, interval: 250 };
const start = fileURLToPath(new URL('../local/start.ts', import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), 'bridge-'));
const received: ReceivedWebhook[] = [];

type Ready = {
  pid: number;
  apiUrl: string;
  apiKey: string;
  callbackSecret: string;
  dynamodbEndpoint: string;
};
type RequestView = { state: string; sequence: number; video: { state: string; copiedBytes?: number } | null };
type EventView = { id: string; type: string; data: { sequence: number } };

let topaz: Awaited<ReturnType<typeof startTopaz>>;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let running: ChildProcess | undefined;

beforeAll(async () => {
  topaz = await startTopaz({ apiKey: TOPAZ_KEY });
  receiver = await startReceiver({ secrets: () => [], onWebhook: (webhook) => received.push(webhook) });
});
afterAll(async () => {
  if (running?.exitCode === null && running.signalCode === null) {
    running.kill('SIGINT');
    await once(running, 'exit');
  }
  await receiver?.close();
  await topaz?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Starts the whole local runtime as a process of its own, as `npm start` does. */
async function startRuntime(): Promise<Ready> {
  const options = ['--json', '--no-demo', '--port', '0', '--tick', '1', '--data', dataDir];
  const upstream = ['--topaz-url', topaz.url, '--topaz-key', TOPAZ_KEY];
  running = spawn(process.execPath, [start, ...options, ...upstream], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: running.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, 'line')) as [string];
  return JSON.parse(line) as Ready;
}

/** Ends the leases of the killed workers now: otherwise the test would wait for 90 seconds. */
async function endLeases(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const dynamo = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  const { TableNames: [TableName] = [] } = await dynamo.send(new ListTablesCommand({}));
  const FilterExpression = 'attribute_exists(lane) AND attribute_exists(#owner)';
  const { Items = [] } = await dynamo.send(
    new ScanCommand({ TableName, FilterExpression, ExpressionAttributeNames: { '#owner': 'owner' } }),
  );
  for (const { pk, sk } of Items) {
    await dynamo.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: pk!, sk: sk! },
        UpdateExpression: 'SET dueAt = :past',
        ExpressionAttributeValues: { ':past': { N: String(Date.now() - 10_000) } },
      }),
    );
  }
  dynamo.destroy();
}

test('after a kill -9 in the middle of a copy, a restart stores the video, sends every event and takes earlier cursors', {
  timeout: 300_000,
}, async () => {
  const requestId = randomUUID();
  const job = {
    requestId,
    bytes: SIZE,
    trace: {
      statuses: [['complete', 0]],
    },
    faults: [{ at: 'download', kind: 'drip', bytesPerSecond: 4_000_000 }],
  };
  await fetch(`${topaz.url}/_sim/jobs`, { method: 'POST', body: JSON.stringify(job) });

  const first = await startRuntime();
  const before = new ApiClient(first.apiUrl, first.apiKey);
  await before.post('/v1/requests', { requestId, callbackUrl: `${receiver.url}/hook` });
  for (let n = 0; n < 2; n++) await before.post('/v1/endpoints', { kind: 'pull' });
  const { cursor } = await before.get<{ cursor: string }>('/v1/endpoints?limit=1');
  await vi.waitFor(async () => {
    const { video } = await before.get<RequestView>(`/v1/requests/${requestId}`);
    expect(video?.state).toBe('copying');
  }, MAX_WAIT);
  running?.kill('SIGKILL');
  await once(running as ChildProcess, 'exit');
  expect(received.map((webhook) => (webhook.body as EventView).type)).not.toContain('video.stored');

  const second = await startRuntime();
  expect(second.apiKey).toBe(first.apiKey);
  await endLeases(second.dynamodbEndpoint);
  const after = new ApiClient(second.apiUrl, second.apiKey);
  // A cursor is signed by the same secret as a link.
  const rest = await after.get<{ items: unknown[] }>(`/v1/endpoints?limit=1&cursor=${cursor}`);
  expect(rest.items).toHaveLength(1);
  const events = await vi.waitFor(async () => {
    const request = await after.get<RequestView>(`/v1/requests/${requestId}`);
    expect(request).toMatchObject({ state: 'done', video: { state: 'stored' } });
    const { items } = await after.get<{ items: EventView[] }>(`/v1/requests/${requestId}/events`);
    expect(items).toHaveLength(request.sequence); // the list may lag
    const told = new Set(received.map((webhook) => webhook.headers['webhook-id']));
    expect(items.filter((event) => !told.has(event.id))).toEqual([]);
    return items;
  }, MAX_WAIT);

  expect(events.map((event) => event.data.sequence)).toEqual(events.map((_, i) => i + 1));
  expect(events.at(-1)?.type).toBe('video.stored');
  const secret = new Webhook(second.callbackSecret);
  for (const { rawBody, headers } of received) secret.verify(rawBody, headers as Record<string, string>);

  const video = await fetch(`${second.apiUrl}/v1/requests/${requestId}/video`, {
    headers: { authorization: `Bearer ${second.apiKey}` },
  });
  const bytes = Buffer.from(await video.arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(await generatedSha256(requestId, SIZE));
});
