import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT, WORKER_DYNAMODB_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { createClaims } from '../engine/claims.ts';
import { createHints } from '../engine/hints.ts';
import { reportLostHints } from '../engine/lost-hints.ts';
import { queueUrls } from '../engine/queue-urls.ts';
import { createDispatch } from './dispatch.ts';

const { TABLE_NAME } = requireEnv('TABLE_NAME');
const now = Date.now;
const table = createTable(new DynamoDBClient(WORKER_DYNAMODB_CLIENT), TABLE_NAME);

export const handler = createDispatch({
  table,
  claims: createClaims(table, now, randomUUID),
  hints: createHints({
    client: new SQSClient(AWS_CLIENT),
    queueUrls: queueUrls('dispatch', 'deliver', 'deliver-slow'),
    now,
    onLost: reportLostHints,
  }),
  now,
  retentionDays: requireNumber('RETENTION_DAYS'),
  log,
});
