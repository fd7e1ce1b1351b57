import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric, publishMetrics, putMetric } from '../adapters/lambda/metrics.ts';
import { LANES } from '../domain/work.ts';
import { laneHints } from '../engine/lane-hints.ts';
import { createQueueDepth } from './queue-depth.ts';
import { createSweep } from './sweep.ts';

const { TABLE_NAME } = requireEnv('TABLE_NAME');
const sqs = new SQSClient(AWS_CLIENT);
const { hints, queueUrls } = laneHints(sqs, ...LANES);

const sweep = createSweep({
  table: createTable(new DynamoDBClient(AWS_CLIENT), TABLE_NAME),
  hints,
  visibleMessages: createQueueDepth(sqs, queueUrls),
  now: Date.now,
});

/** Hints overdue rows; see sweep.ts. Runs every minute. */
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
