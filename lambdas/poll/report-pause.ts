import { log } from '../adapters/lambda/log.ts';
import { putMetric } from '../adapters/lambda/metrics.ts';
import type { Brake } from '../domain/polling/upstream-pause.ts';

/**
 * Logs a pause that began or went on, and measures how long all polling will have waited by its end: a long one
 * raises an alarm (lib/monitoring.ts). A key has to be put right by a person, load passes.
 */
export function reportBrake(brake: Brake): void {
  log.error('upstream paused', { ...brake });
  const reason = brake.reason === 'throttled' ? 'load' : 'key';
  putMetric('UpstreamPaused', reason, (brake.until - brake.since) / 1000);
}
