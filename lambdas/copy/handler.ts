import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT, WORKER_DYNAMODB_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric } from '../adapters/lambda/metrics.ts';
import { createClaims } from '../engine/claims.ts';
import { createHints } from '../engine/hints.ts';
import { reportLostHints } from '../engine/lost-hints.ts';
import { queueUrls } from '../engine/queue-urls.ts';
import { createCopy } from './copy.ts';
import { createSource } from './source/source.ts';
import { createPartSender } from './uploads/part-sender.ts';
import { createUploads, UPLOADS_CLIENT } from './uploads/uploads.ts';

const env = requireEnv('TABLE_NAME', 'BUCKET_NAME', 'KEY_TEMPLATE', 'ALLOW_LOOPBACK');
const now = Date.now;
const table = createTable(new DynamoDBClient(WORKER_DYNAMODB_CLIENT), env.TABLE_NAME);
// An endpoint of one's own has no DNS for a bucket's name in front of it.
const s3 = new S3Client({ ...UPLOADS_CLIENT, forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });

/** Copies finished videos into the bucket. */
export const handler = createCopy({
  table,
  claims: createClaims(table, now, randomUUID),
  hints: createHints({
    client: new SQSClient(AWS_CLIENT),
    queueUrls: queueUrls('copy', 'poll', 'dispatch'),
    now,
    onLost: reportLostHints,
  }),
  retentionDays: requireNumber('RETENTION_DAYS'),
  source: createSource({ allowLoopback: env.ALLOW_LOOPBACK === 'true', now }),
  uploads: createUploads(s3),
  sender: createPartSender(),
  now,
  pause,
  memoryMiB: requireNumber('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
  bucket: env.BUCKET_NAME,
  keyTemplate: env.KEY_TEMPLATE,
  count: addMetric,
  log,
});
