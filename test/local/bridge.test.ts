import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AwsBehavior } from '../../local/aws/behavior.ts';
import { type Bridge, startBridge } from '../../local/bridge.ts';
import type { LogLine } from '../../local/log.ts';
import { isAlive } from '../../local/processes/is-alive.ts';
import { operator } from '../../local/runtime/resources.ts';
import type { ProbeEvent } from './fixture/functions.ts';
import { synthesizeFixture } from './fixture/stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'bridge-'));
const templateDir = join(folder, 'cdk.out');
beforeAll(() => void synthesizeFixture(templateDir));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bridge, booted from a template', () => {
  let bridge: Bridge;
  const log: LogLine[] = [];
  const probe = (event: ProbeEvent) => bridge.invoke('probe', event) as Promise<Record<string, unknown>>;
  const call = (
    service: 'dynamodb' | 'sqs' | 'secretsmanager',
    operation: string,
    input: Record<string, unknown>,
  ) => probe({ call: { service, operation, input } });

  beforeAll(async () => {
    bridge = await startBridge({
      templateDir,
      tickSeconds: 0,
      aws: { lagMs: 0, duplicateMessages: 0 },
      env: { ALLOW_LOOPBACK: 'true' },
      log: (line) => log.push(line),
    });
  });
  afterAll(() => bridge.stop());

  it('gives functions the environment of the template, with the overrides', async () => {
    const environment = await probe({ do: 'environment' });
    expect(environment).toMatchObject({
      TABLE_NAME: bridge.table,
      BUCKET_NAME: bridge.bucket,
      PUBLIC_URL: bridge.apiUrl,
      ALLOW_LOOPBACK: 'true',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    });
    expect(bridge.outputs.ApiUrl).toBe(`${bridge.apiUrl}/`);
  });

  it('holds functions to the time-out of the template', async () => {
    const { remainingMs } = await probe({ do: 'context' });
    expect(remainingMs).toBeLessThanOrEqual(2000);
    await expect(probe({ do: 'wait' })).rejects.toThrow('timed out after 2 seconds');
  });

  it('lets functions do what their roles allow, and no more', async () => {
    const Item = { pk: { S: 'a' }, sk: { S: 'b' }, lane: { S: 'poll' }, dueAt: { N: '1' } };
    expect(await call('dynamodb', 'PutItem', { TableName: bridge.table, Item })).toEqual({});
    const query = {
      TableName: bridge.table,
      KeyConditionExpression: 'lane = :lane',
      ExpressionAttributeValues: { ':lane': { S: 'poll' } },
    };
    expect(await call('dynamodb', 'Query', { ...query, IndexName: 'due' })).toMatchObject({ Count: 1 });
    expect(await call('dynamodb', 'GetItem', { TableName: bridge.table, Key: {} })).toMatchObject({
      error: 'AccessDeniedException',
    });
    expect(bridge.counts().probe).toMatchObject({
      'dynamodb:PutItem': 1,
      'dynamodb:Query': 1,
      'dynamodb:GetItem': 1,
    });
  });

  it('gives functions the secrets of the template, and changed values when they ask again', async () => {
    const { API_KEYS_SECRET_ARN: SecretId } = await probe({ do: 'environment' });
    const value = { keys: [{ id: 'admin', key: bridge.apiKey, role: 'admin' }] };
    expect(bridge.apiKey).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(await call('secretsmanager', 'GetSecretValue', { SecretId })).toMatchObject({
      SecretString: JSON.stringify(value),
    });
    bridge.setSecret('API_KEYS_SECRET_ARN', '{"keys":[]}');
    expect(await call('secretsmanager', 'GetSecretValue', { SecretId })).toMatchObject({
      SecretString: '{"keys":[]}',
    });
  });

  it('serves the HTTP API by its function', async () => {
    const response = await fetch(`${bridge.apiUrl}/v1/x?y=z`, { headers: { authorization: 'Bearer k' } });
    expect(await response.json()).toMatchObject({ rawPath: '/v1/x', headers: { authorization: 'Bearer k' } });
    expect((await fetch(`${bridge.apiUrl}/throw`)).status).toBe(500);
    expect((await fetch(`${bridge.apiUrl}/large`)).status).toBe(500); // more than Lambda answers
  });

  it('wakes the worker of a queue that a function sends to, as its redrive policy says', async () => {
    const { QUEUE_URL: QueueUrl } = await probe({ do: 'environment' });
    expect(await call('sqs', 'SendMessage', { QueueUrl, MessageBody: 'sent' })).toHaveProperty('MessageId');
    await vi.waitFor(async () => expect(await rows('sent')).toBe(1), 10_000);
    await vi.waitFor(() =>
      expect(bridge.counts().worker).toMatchObject({ 'dynamodb:PutItem': 1, 'sqs:DeleteMessageBatch': 1 }),
    );
  });

  it('stops and resumes the polling of queues, and purges them', async () => {
    const QueueUrl = bridge.queueUrls.QUEUE_URL ?? '';
    bridge.pauseWorkers();
    await bridge.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'purged' }));
    await bridge.purgeQueues();
    const { Attributes } = await bridge.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes?.ApproximateNumberOfMessages).toBe('0');
    bridge.resumeWorkers();
    await bridge.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'resumed' }));
    await vi.waitFor(async () => expect(await rows('resumed')).toBe(1), 10_000);
    expect(await rows('purged')).toBe(0);
  });

  it('logs what its functions print, by function', async () => {
    await probe({ do: 'context' });
    await vi.waitFor(
      () => expect(log).toContainEqual({ source: 'probe', line: 'probe {"do":"context"}' }),
      10_000,
    );
  });

  it('runs no function that the template lacks', async () => {
    await expect(bridge.invoke('nobody')).rejects.toThrow('nobody');
  });

  async function rows(pk: string): Promise<number | undefined> {
    const { Count } = await bridge.dynamo.send(
      new QueryCommand({
        TableName: bridge.table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk } },
      }),
    );
    return Count;
  }
});

describe('a function that wakes itself by its queue', () => {
  async function passesOf(template: string, atLeast: number): Promise<{ passes: number; lines: string[] }> {
    const lines: string[] = [];
    const bridge = await startBridge({
      templateDir: template,
      tickSeconds: 0,
      aws: { duplicateMessages: 0, overtakenMessages: 0 },
      log: ({ line }) => lines.push(line),
    });
    const loop = { QueueUrl: bridge.queueUrls.QUEUE_URL, MessageBody: 'loop' };
    await bridge.sqs.send(new SendMessageCommand(loop));
    const count = async () => {
      const { Count } = await bridge.dynamo.send(
        new QueryCommand({
          TableName: bridge.table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: 'loop' } },
        }),
      );
      return Count ?? 0;
    };
    await vi.waitFor(
      async () => expect((await count()) >= atLeast || lines.some(isRecursion)).toBe(true),
      20_000,
    );
    const passes = await count();
    await bridge.stop();
    return { passes, lines: lines.filter(isRecursion) };
  }
  const isRecursion = (line: string) => line.includes('does not allow a recursive loop');

  it('is not invoked a 17th time in one chain of messages', async () => {
    expect(await passesOf(templateDir, 17)).toEqual({
      passes: 16,
      lines: [expect.stringContaining('worker was invoked 16 times in one chain of requests')],
    });
  });

  it('goes on when the template allows it', async () => {
    const allowing = changedTemplate(/^worker[0-9A-F]{8}$/, { Properties: { RecursiveLoop: 'Allow' } });
    const { passes, lines } = await passesOf(allowing, 20);
    expect(passes).toBeGreaterThanOrEqual(20);
    expect(lines).toEqual([]);
  });
});

describe('AWS as it is asked for', () => {
  async function booted(aws: Partial<AwsBehavior>, run: (bridge: Bridge) => Promise<void>): Promise<void> {
    const bridge = await startBridge({ templateDir, tickSeconds: 0, aws });
    try {
      await run(bridge);
    } finally {
      await bridge.stop();
    }
  }

  it('throttles what the account has no place for, and deletes expired rows', async () => {
    await booted({ accountConcurrency: 0, expirySeconds: 0.1 }, async (bridge) => {
      await expect(bridge.invoke('probe')).rejects.toMatchObject({ kind: 'throttled' });
      expect((await fetch(bridge.apiUrl)).status).toBe(503);
      const key = { pk: { S: 'a' }, sk: { S: 'b' } };
      await bridge.dynamo.send(
        new PutItemCommand({ TableName: bridge.table, Item: { ...key, expiresAt: { N: '1' } } }),
      );
      await vi.waitFor(async () => {
        const { Item } = await bridge.dynamo.send(
          new GetItemCommand({ TableName: bridge.table, Key: key, ConsistentRead: true }),
        );
        expect(Item).toBeUndefined();
      }, 10_000);
    });
  });

  it('stops functions between invocations and sets their clocks off, delays policies and slows S3 down', async () => {
    const hours = 3_600_000;
    await booted({ iamDelayMs: 9 * hours, clockSkewMs: 9 * hours, slowDowns: 1, seed: 1 }, async (bridge) => {
      const probe = (event: ProbeEvent) => bridge.invoke('probe', event) as Promise<Record<string, unknown>>;
      const { now, pid } = await probe({ do: 'context' });
      expect(Math.abs(Number(now) - Date.now())).toBeGreaterThan(60_000);
      await vi.waitFor(() => expect(isStopped(Number(pid))).toBe(true), 10_000);
      const get = { Bucket: bridge.bucket, Key: 'videos/x' };
      expect(await probe({ call: { service: 's3', operation: 'GetObject', input: get } })).toMatchObject({
        error: 'SlowDown',
      });
      const put = { TableName: bridge.table, Item: { pk: { S: 'a' }, sk: { S: 'b' } } };
      // Each service learns of a change on its own: of several calls some are refused.
      await vi.waitFor(
        async () =>
          expect(
            await probe({ call: { service: 'dynamodb', operation: 'PutItem', input: put } }),
          ).toMatchObject({ error: 'AccessDeniedException' }),
        20_000,
      );
    });
  });

  const isStopped = (pid: number) =>
    /^ T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, ''));
});

describe('the schedule', () => {
  it('runs its function at once', async () => {
    const bridge = await startBridge({ templateDir, tickSeconds: 3600 });
    await vi.waitFor(() => expect(bridge.counts().tick).toEqual({ 'dynamodb:PutItem': 1 }), 10_000);
    await bridge.stop();
  });
});

describe('a boot', () => {
  it('leaves no process behind when it is stopped', async () => {
    const bridge = await startBridge({ templateDir, tickSeconds: 0 });
    const spinning = expect(bridge.invoke('probe', { do: 'spin' })).rejects.toMatchObject({
      kind: 'stopped',
    });
    await vi.waitFor(() => expect(bridge.pids()).toHaveLength(1), 10_000);
    const [pid] = bridge.pids();
    await bridge.stop();
    await spinning;
    expect(isAlive(pid!)).toBe(false);
    for (const url of [bridge.dynamodbEndpoint, bridge.sqsEndpoint, bridge.s3Endpoint, bridge.apiUrl]) {
      await expect(fetch(url)).rejects.toThrow();
    }
  });

  it.each<[string, Parameters<typeof startBridge>[0], string]>([
    ['an override of a variable that no function has', { templateDir, env: { TYPO: 'x' } }, 'TYPO'],
    ['memory for a function that there is not', { templateDir, memoryMb: { typo: 512 } }, 'typo'],
    [
      'a secret that no function is given',
      { templateDir, secrets: { TYPO_SECRET_ARN: 'x' } },
      'TYPO_SECRET_ARN',
    ],
    ['a folder without a template', { templateDir: join(folder, 'none') }, 'cdk synth'],
  ])('refuses %s', async (_, options, message) => {
    await expect(startBridge(options)).rejects.toThrow(message);
  });

  it.each<[string, RegExp, Partial<TemplateResource>, RegExp]>([
    ['a type of resource that it does not know', /^Table/, { Type: 'AWS::X::Y' }, /AWS::X::Y.*Table/],
    [
      'a queue whose messages show up again too early',
      /^Queue/,
      { Properties: { VisibilityTimeout: 1 } },
      /visibility/,
    ],
    [
      'a worker that may not read its queue',
      /^workerServiceRoleDefault/,
      { Properties: { Roles: [] } },
      /ReceiveMessage/,
    ],
    [
      'a clock that may not run its function',
      /^ClockRoleDefault/,
      { Properties: { Roles: [] } },
      /InvokeFunction/,
    ],
    [
      'an environment of more than 4 KB',
      /^probe[0-9A-F]{8}$/,
      { Properties: { Environment: { Variables: { LONG: 'x'.repeat(4096) } } } },
      /environment of probe.*4096/,
    ],
    ['a gateway that may not call its function', /Permission/, { Properties: { Principal: 'x' } }, /gateway/],
    ['a batch that is collected over time', /EventSource/, { Properties: { BatchSize: 11 } }, /collects/],
    [
      'an event format that it does not write',
      /Integration/,
      { Properties: { PayloadFormatVersion: '1.0' } },
      /1\.0/,
    ],
  ])('refuses %s', async (_, logicalId, change, message) => {
    await expect(startBridge({ templateDir: changedTemplate(logicalId, change) })).rejects.toThrow(message);
  });
});

describe('a kill of the process', () => {
  it('leaves no child, not even a function that never yields', async () => {
    const host = await startHost();
    expect(host.pids).toHaveLength(2);
    expect(host.pids.every(isAlive)).toBe(true);

    host.process.kill('SIGKILL');

    await vi.waitFor(() => expect(host.pids.filter(isAlive)).toEqual([]), 10_000);
    await vi.waitFor(() => expect(fetch(host.dynamodbEndpoint)).rejects.toThrow(), 10_000);
  });

  it('loses nothing that was written, when state is kept', async () => {
    const dataDir = join(folder, 'data');
    const host = await startHost(dataDir);
    const dynamo = new DynamoDBClient({
      endpoint: host.dynamodbEndpoint,
      region: 'us-east-1',
      credentials: operator,
    });
    const row = { pk: { S: 'kept' }, sk: { S: 'x' } };
    await dynamo.send(new PutItemCommand({ TableName: host.table, Item: row }));
    dynamo.destroy();
    await expect(startBridge({ templateDir, dataDir })).rejects.toThrow(
      `in use by process ${host.process.pid}`,
    );

    host.process.kill('SIGKILL');
    await once(host.process, 'exit');

    const bridge = await startBridge({ templateDir, dataDir, tickSeconds: 0 });
    const { Item } = await bridge.dynamo.send(new GetItemCommand({ TableName: bridge.table, Key: row }));
    expect(Item).toEqual(row);
    expect(bridge.apiKey).toBe(host.apiKey);
    await bridge.stop();
  });
});

type TemplateResource = {
  Type: string;
  Properties: Record<string, unknown>;
};

/** The folder of a copy of the template in which the resource with such a logical id is changed. */
function changedTemplate(logicalId: RegExp, change: Partial<TemplateResource>): string {
  const copy = mkdtempSync(join(folder, 'changed-'));
  cpSync(templateDir, copy, { recursive: true });
  const template = JSON.parse(readFileSync(join(templateDir, 'Fixture.template.json'), 'utf8')) as {
    Resources: Record<string, TemplateResource>;
  };
  const [, resource] = Object.entries(template.Resources).find(([id]) => logicalId.test(id))!;
  Object.assign(resource, change, { Properties: { ...resource.Properties, ...change.Properties } });
  writeFileSync(join(copy, 'Fixture.template.json'), JSON.stringify(template));
  return copy;
}

type Host = {
  process: ChildProcess;
  dynamodbEndpoint: string;
  apiKey: string;
  table: string;
  pids: number[];
};

/** A process of its own with a bridge, one of whose functions spins. */
async function startHost(dataDir?: string): Promise<Host> {
  const script = fileURLToPath(new URL('./fixture/host.ts', import.meta.url));
  const child = spawn(process.execPath, [script, templateDir, ...(dataDir ? [dataDir] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return { process: child, ...(JSON.parse(line) as Omit<Host, 'process'>) };
}
