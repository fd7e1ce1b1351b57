import { randomUUID } from 'node:crypto';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createClaims } from '../adapters/claims.ts';
import { createHints } from '../adapters/hints.ts';
import { createSecret } from '../adapters/secrets.ts';
import { createTable } from '../adapters/table.ts';
import { createTopaz } from '../adapters/topaz.ts';
import { requireEnv, requireNumber } from '../runtime/env.ts';
import { log, metrics } from '../runtime/log.ts';
import { reportLostHints } from '../runtime/lost-hints.ts';
import { queueUrls } from '../runtime/queue-urls.ts';
import { stage } from '../runtime/stage.ts';
import { createPollRequest } from './poll-request.ts';
import { createProgressWanted } from './progress-wanted.ts';
import { createUpstreamBrake } from './upstream-brake.ts';

const env = requireEnv('TABLE_NAME', 'TOPAZ_BASE_URL', 'TOPAZ_API_KEY_SECRET_ARN');
const retentionDays = requireNumber('RETENTION_DAYS');
const now = Date.now;
const random = Math.random;
const table = createTable(new DynamoDBClient({}), env.TABLE_NAME);
const hints = createHints({
  client: new SQSClient({}),
  queueUrls: queueUrls('poll', 'copy', 'dispatch'),
  now,
  onLost: reportLostHints,
});
const topaz = createTopaz({
  baseUrl: env.TOPAZ_BASE_URL,
  apiKey: createSecret(new SecretsManagerClient({}), env.TOPAZ_API_KEY_SECRET_ARN, now),
  fetch,
  now,
});
const brake = createUpstreamBrake({
  table,
  now,
  random,
  onApply: (applied) => {
    log.error('upstream braked', { ...applied });
    metrics.addMetric('UpstreamBraked', MetricUnit.Count, 1);
  },
});

/** Asks upstream about the requests that are due. */
export const handler = stage({
  lanes: ['poll'],
  claims: createClaims(table, now, randomUUID),
  hints,
  now,
  work: createPollRequest({
    table,
    topaz,
    hints,
    brake,
    now,
    random,
    retentionDays,
    progressWanted: createProgressWanted(table, now),
    log,
  }),
});
