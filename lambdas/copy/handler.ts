import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric } from '../adapters/lambda/metrics.ts';
import { MIN_PART_BYTES } from '../domain/copying/copy-plan.ts';
import { createWorker } from '../engine/worker.ts';
import { createCopy } from './copy.ts';
import { createSource } from './source/source.ts';
import { createPartSender } from './uploads/part-sender.ts';
import { createUploads, UPLOADS_CLIENT } from './uploads/uploads.ts';

const env = requireEnv('BUCKET_NAME', 'KEY_TEMPLATE', 'ALLOW_LOOPBACK');
const worker = createWorker('copy', 'poll', 'dispatch');
// A custom S3 endpoint needs path-style URLs.
const s3 = new S3Client({ ...UPLOADS_CLIENT, forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });

/** Copies finished videos into the bucket. */
export const handler = createCopy({
  ...worker,
  retentionDays: requireNumber('RETENTION_DAYS'),
  source: createSource({ allowLoopback: env.ALLOW_LOOPBACK === 'true', now: worker.now }),
  uploads: createUploads(s3),
  sender: createPartSender(),
  sleep,
  partLimits: {
    memoryMiB: requireNumber('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    minPartBytes: MIN_PART_BYTES,
  },
  bucket: env.BUCKET_NAME,
  keyTemplate: env.KEY_TEMPLATE,
  count: addMetric,
  log,
});
