import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createTable } from '../adapters/dynamodb/table.ts';
import { createSafeHttp } from '../adapters/http/safe-http.ts';
import { AWS_CLIENT, WORKER_DYNAMODB_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { late } from '../adapters/lambda/late.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric } from '../adapters/lambda/metrics.ts';
import { createCallbackSecrets } from '../adapters/rows/callback-secret.ts';
import { createSecret } from '../adapters/secrets.ts';
import { createVideoLinks } from '../adapters/video-link.ts';
import { createClaims } from '../engine/claims.ts';
import { createHints } from '../engine/hints.ts';
import { reportLostHints } from '../engine/lost-hints.ts';
import { queueUrls } from '../engine/queue-urls.ts';
import { createDeliver } from './deliver.ts';

const env = requireEnv('TABLE_NAME', 'LINK_SECRET_ARN', 'PUBLIC_URL', 'ALLOW_LOOPBACK');
const now = Date.now;
const clocks = { now, elapsed: () => performance.now() };
const table = createTable(new DynamoDBClient(WORKER_DYNAMODB_CLIENT), env.TABLE_NAME);

/** Sends the deliveries that are due, and does what endpoints as such have due. */
export const handler = createDeliver({
  ...clocks,
  table,
  claims: createClaims(table, now, randomUUID),
  hints: createHints({
    client: new SQSClient(AWS_CLIENT),
    queueUrls: queueUrls('deliver', 'deliver-slow', 'dispatch'),
    now,
    onLost: reportLostHints,
  }),
  random: Math.random,
  sleep: async (ms, signal) => setTimeout(ms, undefined, { signal }),
  retentionDays: requireNumber('RETENTION_DAYS'),
  maxDeliveries: requireNumber('MAX_DELIVERIES'),
  http: createSafeHttp({ allowLoopback: env.ALLOW_LOOPBACK === 'true' }),
  putEvent: late(async () => {
    const { EventBridgeClient } = await import('@aws-sdk/client-eventbridge');
    const { createPutEvent } = await import('./put-event.ts');
    return createPutEvent(new EventBridgeClient(AWS_CLIENT), clocks);
  }),
  callbackSecrets: createCallbackSecrets(table, randomBytes).read,
  videoLink: createVideoLinks({
    secret: createSecret(new SecretsManagerClient(AWS_CLIENT), env.LINK_SECRET_ARN, now),
    publicUrl: env.PUBLIC_URL,
    linkDays: requireNumber('LINK_DAYS'),
  }),
  log,
  count: addMetric,
});
