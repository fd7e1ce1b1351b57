import { randomBytes, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createCallbackSecrets } from '../adapters/callback-secret.ts';
import { createClaims } from '../adapters/claims.ts';
import { createHints } from '../adapters/hints.ts';
import { createSafeHttp } from '../adapters/safe-http/safe-http.ts';
import { createSecret } from '../adapters/secrets.ts';
import { createTable } from '../adapters/table.ts';
import { requireEnv, requireNumber } from '../runtime/env.ts';
import { log } from '../runtime/log.ts';
import { reportLostHints } from '../runtime/lost-hints.ts';
import { queueUrls } from '../runtime/queue-urls.ts';
import { stage } from '../runtime/stage.ts';
import { createDeliverEvent } from './deliver-event.ts';
import { createVideoLinks } from './video-link.ts';

const env = requireEnv('TABLE_NAME', 'LINK_SECRET_ARN', 'PUBLIC_URL', 'ALLOW_LOOPBACK');
const linkDays = requireNumber('LINK_DAYS');
const retentionDays = requireNumber('RETENTION_DAYS');
const now = Date.now;
const table = createTable(new DynamoDBClient({}), env.TABLE_NAME);
const hints = createHints({
  client: new SQSClient({}),
  queueUrls: queueUrls('deliver', 'deliver-slow'),
  now,
  onLost: reportLostHints,
});

/** Sends the deliveries that are due. */
export const handler = stage({
  lanes: ['deliver', 'deliver-slow'],
  claims: createClaims(table, now, randomUUID),
  hints,
  now,
  work: createDeliverEvent({
    table,
    http: createSafeHttp({ allowLoopback: env.ALLOW_LOOPBACK === 'true' }),
    hints,
    now,
    random: Math.random,
    retentionDays,
    callbackSecrets: createCallbackSecrets(table, randomBytes).read,
    videoLink: createVideoLinks({
      secret: createSecret(new SecretsManagerClient({}), env.LINK_SECRET_ARN, now),
      publicUrl: env.PUBLIC_URL,
      linkDays,
    }),
    log,
  }),
});
