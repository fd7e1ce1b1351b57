import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createClaims } from '../adapters/claims.ts';
import { createHints } from '../adapters/hints.ts';
import { createTable } from '../adapters/table.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import { AWS_CLIENT } from '../runtime/aws-client.ts';
import { requireEnv, requireNumber } from '../runtime/env.ts';
import { log } from '../runtime/log.ts';
import { reportLostHints } from '../runtime/lost-hints.ts';
import { queueUrls } from '../runtime/queue-urls.ts';
import { stage } from '../runtime/stage.ts';
import { createDispatchEvents } from './dispatch-events.ts';
import { createEraseRequest } from './erase-request.ts';

const { TABLE_NAME } = requireEnv('TABLE_NAME');
const now = Date.now;
const table = createTable(new DynamoDBClient(AWS_CLIENT), TABLE_NAME);
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
