import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT, WORKER_DYNAMODB_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric } from '../adapters/lambda/metrics.ts';
import { createSecret } from '../adapters/secrets.ts';
import { DEFAULT_TRANSITION_SETTINGS } from '../domain/requests/transition.ts';
import { createClaims } from '../engine/claims.ts';
import { createHints } from '../engine/hints.ts';
import { reportLostHints } from '../engine/lost-hints.ts';
import { queueUrls } from '../engine/queue-urls.ts';
import { createPoll } from './poll.ts';
import { reportPause } from './report-pause.ts';
import { createTopaz } from './topaz.ts';

const env = requireEnv('TABLE_NAME', 'TOPAZ_BASE_URL', 'TOPAZ_API_KEY_SECRET_ARN');
const now = Date.now;
const table = createTable(new DynamoDBClient(WORKER_DYNAMODB_CLIENT), env.TABLE_NAME);

/** Asks upstream about the requests that are due. */
export const handler = createPoll({
  table,
  claims: createClaims(table, now, randomUUID),
  hints: createHints({
    client: new SQSClient(AWS_CLIENT),
    queueUrls: queueUrls('poll', 'copy', 'dispatch'),
    now,
    onLost: reportLostHints,
  }),
  now,
  random: Math.random,
  sleep: setTimeout,
  topaz: createTopaz({
    baseUrl: env.TOPAZ_BASE_URL,
    apiKey: createSecret(new SecretsManagerClient(AWS_CLIENT), env.TOPAZ_API_KEY_SECRET_ARN, now),
    fetch,
    now,
  }),
  // As many workers as share the cap run at a time, and none begins with a burst.
  perSecond: requireNumber('MAX_POLLS_PER_SECOND') / requireNumber('POLL_CONCURRENCY'),
  retentionDays: requireNumber('RETENTION_DAYS'),
  settings: {
    ...DEFAULT_TRANSITION_SETTINGS,
    notFoundMs: requireNumber('NOT_FOUND_MINUTES') * 60_000,
    pendingMs: requireNumber('PENDING_DAYS') * 86_400_000,
  },
  onPause: reportPause,
  count: addMetric,
  log,
});
