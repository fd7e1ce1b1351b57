import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric, publishMetrics, putMetric } from '../adapters/lambda/metrics.ts';
import { createHints } from '../engine/hints.ts';
import { reportLostHints } from '../engine/lost-hints.ts';
import { queueUrls } from '../engine/queue-urls.ts';
import { createQueueDepth } from './queue-depth.ts';
import { createSweep } from './sweep.ts';

const { TABLE_NAME } = requireEnv('TABLE_NAME');
const urls = queueUrls('poll', 'copy', 'dispatch', 'deliver', 'deliver-slow');
const sqs = new SQSClient(AWS_CLIENT);
const now = Date.now;

const sweep = createSweep({
  table: createTable(new DynamoDBClient(AWS_CLIENT), TABLE_NAME),
  hints: createHints({ client: sqs, queueUrls: urls, now, onLost: reportLostHints }),
  visibleMessages: createQueueDepth(sqs, urls),
  now,
});

/** Wakes what nobody woke: see sweep.ts. Scheduled every minute. */
export const handler = middy().handler(async () => {
  // A metric is billed by the hour in which it is written: nothing is said of lanes that are in time.
  const late = (await sweep()).filter(({ overdue }) => overdue > 0);
  for (const { lane, overdue, hinted, workersBehind, oldestMs } of late) {
    log.info('swept', { lane, overdue, hinted, workersBehind, oldestMs });
    putMetric('OverdueRows', lane, overdue);
  }
  if (late.length > 0) {
    addMetric('OldestOverdue', Math.max(...late.map(({ oldestMs }) => oldestMs)) / 1000);
    publishMetrics();
  }
});
