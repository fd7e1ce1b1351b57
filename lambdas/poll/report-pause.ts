import { log } from '../adapters/lambda/log.ts';
import { putMetric } from '../adapters/lambda/metrics.ts';
import type { UpstreamPause } from '../domain/polling/upstream-pause.ts';

/**
 * Logs a pause that began or went on, and measures how long all polling will have waited by its end: a
 * long one raises an alarm (lib/monitoring.ts). A person has to correct a key; load passes.
 */
export function reportPause(pause: UpstreamPause): void {
  log.error('upstream paused', { ...pause });
  const reason = pause.reason === 'throttled' ? 'load' : 'key';
  putMetric('UpstreamPaused', reason, (pause.until - pause.since) / 1000);
}
