import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSafeHttp } from '../adapters/http/safe-http.ts';
import { AWS_CLIENT } from '../adapters/lambda/aws-client.ts';
import { requireEnv, requireNumber } from '../adapters/lambda/env.ts';
import { lazy } from '../adapters/lambda/lazy.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric } from '../adapters/lambda/metrics.ts';
import { createVideoLinks } from '../adapters/video-link.ts';
import { createWorker } from '../engine/worker.ts';
import { createCallbackSecrets } from '../rows/callback-secret.ts';
import { createLinkSecret } from '../rows/link-secret.ts';
import { createDeliver } from './deliver.ts';

const env = requireEnv('PUBLIC_URL', 'ALLOW_LOOPBACK');
const worker = createWorker('deliver', 'deliver-slow', 'dispatch');
const clocks = { now: worker.now, elapsed: () => performance.now() };

/** Sends the deliveries that are due, and works on gates and the tasks of endpoints. */
export const handler = createDeliver({
  ...worker,
  ...clocks,
  random: Math.random,
  sleep,
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  retentionDays: requireNumber('RETENTION_DAYS'),
  maxDeliveries: requireNumber('MAX_DELIVERIES'),
  http: createSafeHttp({ allowLoopback: env.ALLOW_LOOPBACK === 'true' }),
  putEvent: lazy(async () => {
    const { EventBridgeClient } = await import('@aws-sdk/client-eventbridge');
    const { createPutEvent } = await import('./put-event.ts');
    return createPutEvent(new EventBridgeClient(AWS_CLIENT), clocks);
  }),
  callbackSecrets: createCallbackSecrets(worker.table, randomBytes).read,
  videoLink: createVideoLinks({
    secret: createLinkSecret(worker.table, randomBytes, worker.now),
    publicUrl: env.PUBLIC_URL,
    linkDays: requireNumber('LINK_DAYS'),
  }),
  log,
  count: addMetric,
});
