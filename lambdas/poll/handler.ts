import { setTimeout } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AWS_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric } from '../adapters/lambda/metrics.ts';
import { createSecret } from '../adapters/secrets.ts';
import { createWorker } from '../engine/worker.ts';
import { createPoll } from './poll.ts';
import { reportPause } from './report-pause.ts';
import { createTopaz } from './topaz.ts';

const env = requireEnv('TOPAZ_BASE_URL', 'TOPAZ_API_KEY_SECRET_ARN');
const worker = createWorker('poll', 'copy', 'dispatch');

/** Asks upstream about the requests that are due. */
export const handler = createPoll({
  ...worker,
  random: Math.random,
  sleep: setTimeout,
  topaz: createTopaz({
    baseUrl: env.TOPAZ_BASE_URL,
    apiKey: createSecret(new SecretsManagerClient(AWS_CLIENT), env.TOPAZ_API_KEY_SECRET_ARN, worker.now),
    fetch,
    now: worker.now,
  }),
  // As many workers as share the cap run at a time, and none begins with a burst.
  perSecond: requireNumber('MAX_POLLS_PER_SECOND') / requireNumber('POLL_CONCURRENCY'),
  retentionDays: requireNumber('RETENTION_DAYS'),
  settings: {
    notFoundMs: requireNumber('NOT_FOUND_MINUTES') * 60_000,
    pendingMs: requireNumber('PENDING_DAYS') * 86_400_000,
  },
  onPause: reportPause,
  count: addMetric,
  log,
});
