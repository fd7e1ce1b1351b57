import { log } from '../adapters/lambda/log.ts';
import { addMetric, publishMetrics, putMetric } from '../adapters/lambda/metrics.ts';
import type { LaneSweep } from './sweep.ts';

/**
 * Logs and measures what a sweep found overdue. A metric is billed by the hour in which it is written, so lanes that
 * are on time write none.
 */
export function reportOverdue(lanes: readonly LaneSweep[]): void {
  const late = lanes.filter(({ overdue }) => overdue > 0);
  for (const { lane, overdue, hinted, workersBehind, oldestMs } of late) {
    log.info('swept', { lane, overdue, hinted, workersBehind, oldestMs });
    putMetric('OverdueRows', lane, overdue);
  }
  if (late.length > 0) {
    addMetric('OldestOverdue', Math.max(...late.map(({ oldestMs }) => oldestMs)) / 1000);
    publishMetrics();
  }
}
