import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createTable } from '../adapters/dynamodb/table.ts';
import { AWS_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric } from '../adapters/lambda/metrics.ts';
import { createSecret } from '../adapters/secrets.ts';
import { createPace } from '../domain/polling/poll-limiter.ts';
import { DEFAULT_TRANSITION_SETTINGS } from '../domain/requests/transition.ts';
import { createClaims } from '../engine/claims.ts';
import { createHints } from '../engine/hints.ts';
import { reportLostHints } from '../engine/lost-hints.ts';
import { queueUrls } from '../engine/queue-urls.ts';
import { stage } from '../engine/stage.ts';
import { createPollRequest, mayWait } from './poll-request.ts';
import { createProgressWanted } from './progress-wanted.ts';
import { reportBrake } from './report-pause.ts';
import { createTopaz, TIMEOUT_MS } from './topaz.ts';
import { createUpstreamBrake } from './upstream-pause.ts';

const env = requireEnv('TABLE_NAME', 'TOPAZ_BASE_URL', 'TOPAZ_API_KEY_SECRET_ARN');
const retentionDays = requireNumber('RETENTION_DAYS');
const settings = {
  ...DEFAULT_TRANSITION_SETTINGS,
  notFoundMs: requireNumber('NOT_FOUND_MINUTES') * 60_000,
  pendingMs: requireNumber('PENDING_DAYS') * 86_400_000,
};
/** This worker's share of the cap; as many workers as share it run at a time, and none begins with a burst. */
const perSecond = requireNumber('MAX_POLLS_PER_SECOND') / requireNumber('POLL_CONCURRENCY');
const pace = createPace(perSecond);
const now = Date.now;
const random = Math.random;
const table = createTable(new DynamoDBClient(AWS_CLIENT), env.TABLE_NAME);
const claims = createClaims(table, now, randomUUID);
const hints = createHints({
  client: new SQSClient(AWS_CLIENT),
  queueUrls: queueUrls('poll', 'copy', 'dispatch'),
  now,
  onLost: reportLostHints,
});
const brake = createUpstreamBrake({
  table,
  now,
  random,
  perSecond,
  onApply: reportBrake,
});

/** Asks upstream about the requests that are due. */
export const handler = stage({
  lanes: ['poll'],
  claims,
  hints,
  now,
  holdUntil: brake.resumeAt,
  holdIf: () => mayWait(now(), settings),
  // As many as keep the pace while upstream takes two seconds for an answer: none waits longer for its turn.
  concurrency: Math.ceil(2 * perSecond),
  rowMs: TIMEOUT_MS + 5_000,
  work: createPollRequest({
    table,
    claims,
    topaz: createTopaz({
      baseUrl: env.TOPAZ_BASE_URL,
      apiKey: createSecret(new SecretsManagerClient(AWS_CLIENT), env.TOPAZ_API_KEY_SECRET_ARN, now),
      fetch,
      now,
    }),
    hints,
    brake,
    turn: async () => void (await sleep(pace.reserve(now()) - now())),
    now,
    random,
    retentionDays,
    settings,
    progressWanted: createProgressWanted(table, now),
    onLost: () => addMetric('RequestsLost'),
    log,
  }),
});
