import { requireNumber } from '../adapters/lambda/env.ts';
import { log } from '../adapters/lambda/log.ts';
import { createWorker } from '../engine/worker.ts';
import { createDispatch } from './dispatch.ts';

export const handler = createDispatch({
  ...createWorker('dispatch', 'deliver', 'deliver-slow'),
  retentionDays: requireNumber('RETENTION_DAYS'),
  log,
});
