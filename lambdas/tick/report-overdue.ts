import { log } from '../adapters/lambda/log.ts';
import { putMetric } from '../adapters/lambda/metrics.ts';
import type { LaneSweep } from './sweep.ts';

/**
 * Logs and measures what a sweep found overdue. A metric is billed by the hour in which it is written, so lanes that
 * are on time write none.
 */
export function reportOverdue(lanes: readonly LaneSweep[]): void {
  for (const { lane, overdue, hinted, workersBehind, oldestMs } of lanes) {
    if (overdue === 0) continue;
    log.info('swept', { lane, overdue, hinted, workersBehind, oldestMs });
    putMetric('OverdueRows', lane, overdue);
    putMetric('OldestOverdue', lane, oldestMs / 1000);
  }
}
