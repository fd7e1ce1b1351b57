import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { log, metrics } from '../adapters/lambda/log.ts';
import type { Brake } from '../domain/polling/upstream-pause.ts';

/**
 * Tells of a brake that was put on, or on again, and for how long all is braked by then: what lasts
 * rings an alarm (lib/monitoring.ts). A key has to be put right by a person, load passes by itself.
 */
export function reportBrake(brake: Brake): void {
  log.error('upstream braked', { ...brake });
  metrics
    .singleMetric()
    .addDimension('reason', brake.reason === 'throttled' ? 'load' : 'key')
    .addMetric('UpstreamBraked', MetricUnit.Seconds, (brake.until - brake.since) / 1000);
}
