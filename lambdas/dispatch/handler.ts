import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT, WORKER_DYNAMODB_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import { createClaims } from '../engine/claims.ts';
import { createHints } from '../engine/hints.ts';
import { reportLostHints } from '../engine/lost-hints.ts';
import { queueUrls } from '../engine/queue-urls.ts';
import { stage } from '../engine/stage.ts';
import { createDispatchEvents } from './dispatch-events.ts';
import { createEraseRequest } from './erase-request.ts';

const { TABLE_NAME } = requireEnv('TABLE_NAME');
const now = Date.now;
const table = createTable(new DynamoDBClient(WORKER_DYNAMODB_CLIENT), TABLE_NAME);
const hints = createHints({
  client: new SQSClient(AWS_CLIENT),
  queueUrls: queueUrls('dispatch', 'deliver', 'deliver-slow'),
  now,
  onLost: reportLostHints,
});

const dispatchEvents = createDispatchEvents({
  table,
  hints,
  now,
  retentionDays: requireNumber('RETENTION_DAYS'),
  log,
});
const eraseRequest = createEraseRequest({ table, hints, now });

/** Fans the events of the outboxes that are due out to their endpoints; erases requests that are to be purged. */
export const handler = stage<OutboxRow>({
  lanes: ['dispatch'],
  claims: createClaims(table, now, randomUUID),
  hints,
  now,
  work: (claim) => (claim.row.purge ? eraseRequest(claim) : dispatchEvents(claim)),
});
