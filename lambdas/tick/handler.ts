import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv } from '../adapters/lambda/env.ts';
import { LANES } from '../domain/work.ts';
import { laneHints } from '../engine/lane-hints.ts';
import { createQueueDepth } from './queue-depth.ts';
import { reportOverdue } from './report-overdue.ts';
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
export const handler = middy().handler(async () => reportOverdue(await sweep()));
