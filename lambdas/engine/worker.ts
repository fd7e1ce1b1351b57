import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT, WORKER_DYNAMODB_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv } from '../adapters/lambda/env.ts';
import type { Lane } from '../domain/work.ts';
import { createClaims } from './claims.ts';
import { laneHints } from './lane-hints.ts';

/** A worker's access to AWS: the table, claims of its rows, and hints for the lanes. */
export function createWorker(...lanes: Lane[]) {
  const now = Date.now;
  const { TABLE_NAME } = requireEnv('TABLE_NAME');
  const table = createTable(new DynamoDBClient(WORKER_DYNAMODB_CLIENT), TABLE_NAME);
  const { hints } = laneHints(new SQSClient(AWS_CLIENT), ...lanes);
  return { table, claims: createClaims(table, now, randomUUID), hints, now };
}
