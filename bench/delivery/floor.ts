// The least that a delivery can cost: one signed POST and two conditional updates, through the same SDK clients.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { createSafeHttp } from '../../lambdas/adapters/http/safe-http.ts';
import { signWebhook } from '../../lambdas/adapters/signed-webhook.ts';

export type Floor = { readonly perSecond: number; readonly cpuMsPerDelivery: number };
/** `alone`: as fast as it goes. `beside`: at the pace of the stage, from the first byte on standard input to its end. */
export type Mode = 'alone' | 'beside';

const DELIVERIES = 2_000;
/** As many as each process of the stage has made by then, so that both are compiled as far. */
const WARM_UP = 6_000;
/** As many as an invocation of the deliver stage has in work: one for each of the four endpoints. */
const AT_ONCE = 4;
/** Beside the stage: as many as an invocation has, about as often as each process of it is invoked. */
const BATCH = 10;
const BATCH_EVERY_MS = 100;

const [endpoint = '', TableName = '', url = '', mode = 'alone'] = process.argv.slice(2);
const credentials = { accessKeyId: 'operator', secretAccessKey: 'operator' };
const client = DynamoDBDocumentClient.from(
  new DynamoDBClient({ endpoint, region: 'us-east-1', credentials }),
);
const http = createSafeHttp({ allowLoopback: true });
const secrets = [{ secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }];
const limits = { timeoutMs: 15_000, maxBodyBytes: 65_536, keepBytes: 1_024, bodyTimeoutMs: 1_000 };
const payload = {
  id: 'msg_',
  type: 'video.processing',
  timestamp: new Date(0).toISOString(),
  data: {
    requestId: randomUUID(),
    sequence: 1,
    status: 'processing',
    progress: 12,
    metadata: { order: '42' },
  },
};

async function deliver(): Promise<void> {
  const id = randomUUID();
  const update = (owner: string, ConditionExpression: string) =>
    client.send(
      new UpdateCommand({
        TableName,
        Key: { pk: `FLOOR#${id}`, sk: 'DELIVERY' },
        UpdateExpression: 'SET #owner = :owner, #payload = :payload',
        ConditionExpression,
        ExpressionAttributeNames: { '#owner': 'owner', '#payload': 'payload' },
        ExpressionAttributeValues: { ':owner': owner, ':payload': payload },
      }),
    );
  await update('claimed', 'attribute_not_exists(#owner)');
  const { headers, body } = signWebhook(id, JSON.stringify(payload), secrets, Date.now());
  await http.request({ method: 'POST', url, headers, body, ...limits });
  await update('released', '#owner <> :owner');
}

async function run(deliveries: number): Promise<void> {
  let left = deliveries;
  const worker = async () => {
    while (left-- > 0) await deliver();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** As many as are made until standard input ends. */
async function runBeside(): Promise<number> {
  let ended = false;
  process.stdin.once('end', () => {
    ended = true;
  });
  let made = 0;
  for (let next = performance.now(); !ended; made += BATCH) {
    await run(BATCH);
    next += BATCH_EVERY_MS;
    await setTimeout(Math.max(0, next - performance.now()));
  }
  return made;
}

async function runAlone(): Promise<number> {
  await run(DELIVERIES);
  return DELIVERIES;
}

await run(WARM_UP);
process.stdout.write('warm\n');
if (mode === 'beside') await once(process.stdin, 'data');
const cpu = process.cpuUsage();
const startedAt = performance.now();
const made = await (mode === 'beside' ? runBeside() : runAlone());
const { user, system } = process.cpuUsage(cpu);
const seconds = (performance.now() - startedAt) / 1_000;
http.close();
process.stdout.write(
  JSON.stringify({
    perSecond: made / seconds,
    cpuMsPerDelivery: (user + system) / 1_000 / made,
  } satisfies Floor),
);
