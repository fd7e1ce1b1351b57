import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { lazy } from '../adapters/lambda/lazy.ts';
import { createSecret } from '../adapters/secrets.ts';
import { createVideoLinks } from '../adapters/video-link.ts';
import { LANES } from '../domain/work.ts';
import { laneHints } from '../engine/lane-hints.ts';
import { createLinkSecret } from '../rows/link-secret.ts';
import { createApi } from './app.ts';
import { createConsoleFiles } from './console/console-files.ts';
import { createQueueMessages } from './doctor/queue-messages.ts';

const env = requireEnv(
  'TABLE_NAME',
  'API_KEYS_SECRET_ARN',
  'PUBLIC_URL',
  'ALLOW_LOOPBACK',
  'POWERTOOLS_SERVICE_NAME',
  'BUCKET_NAME',
  'ALARM_PREFIX',
  'DEAD_LETTERS_URL',
);
const now = Date.now;
const table = createTable(new DynamoDBClient(AWS_CLIENT), env.TABLE_NAME);
const linkSecret = createLinkSecret(table, randomBytes, now);
const sqs = new SQSClient(AWS_CLIENT);
const { hints, queueUrls } = laneHints(sqs, ...LANES);

const api = createApi({
  table,
  metricHistory: lazy(async () => {
    const { metricHistory } = await import('./late/cloudwatch.ts');
    return metricHistory(env.POWERTOOLS_SERVICE_NAME);
  }),
  deployment: {
    messages: createQueueMessages(sqs, queueUrls, env.DEAD_LETTERS_URL),
    bucket: lazy(async () => {
      const { bucketState } = await import('./late/s3.ts');
      return bucketState(env.BUCKET_NAME);
    }),
    alarms: lazy(async () => {
      const { alarmStates } = await import('./late/cloudwatch.ts');
      return alarmStates(env.ALARM_PREFIX);
    }),
  },
  hints,
  now,
  randomBytes,
  apiKeys: createSecret(new SecretsManagerClient(AWS_CLIENT), env.API_KEYS_SECRET_ARN, now),
  linkSecret,
  videoLink: createVideoLinks({
    secret: linkSecret,
    publicUrl: env.PUBLIC_URL,
    linkDays: requireNumber('LINK_DAYS'),
  }),
  sleep: setTimeout,
  maxWaits: requireNumber('MAX_WAITS'),
  signGet: lazy(async () => {
    const { signGet } = await import('./late/s3.ts');
    return signGet(now);
  }),
  retentionDays: requireNumber('RETENTION_DAYS'),
  allowLoopback: env.ALLOW_LOOPBACK === 'true',
  eventBusName: process.env.EVENT_BUS_NAME,
});

/** The build puts the console's files next to the bundle. */
const consoleFiles = createConsoleFiles(new URL('console/', import.meta.url), {
  allowLoopback: env.ALLOW_LOOPBACK === 'true',
});

export const handler = async (event: APIGatewayProxyEventV2, context: Context) =>
  consoleFiles(event) ?? api(event, context);
