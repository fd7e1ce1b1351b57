import type { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { METRIC_NAMESPACE } from '../lambdas/domain/metrics.ts';
import type { BridgeFunction } from './bridge-function.ts';

type ErrorSources = {
  /** Functions whose failed invocations count, by the ids of their filters. */
  readonly functions: Readonly<Record<string, BridgeFunction>>;
  /** The log of the API's calls, of which those that were answered 5xx count. */
  readonly accessLogs: ILogGroup;
  readonly bridgeName: string;
  readonly period: Duration;
};

/** An invocation that crashed, ran out of memory or time: Lambda reports it at every level of its own log. */
const FAILED = FilterPattern.all(
  FilterPattern.stringValue('$.type', '=', 'platform.report'),
  FilterPattern.stringValue('$.record.status', '!=', 'success'),
);
/** The access log has the status as text, which no comparison of numbers matches. */
const ANSWERED_5XX = FilterPattern.stringValue('$.status', '=', '5*');

/**
 * Counts, in one metric, invocations that failed and calls that were answered 5xx. An alarm on a sum of Lambda's own
 * metrics would be billed by function; this one is billed as one, and the metric only by the hour that has errors.
 */
export function errorMetric(
  scope: Construct,
  { functions, accessLogs, bridgeName, period }: ErrorSources,
): Metric {
  // A filter takes dimensions from the line alone, so the namespace tells two bridges apart.
  const metric = { metricNamespace: `${METRIC_NAMESPACE}/${bridgeName}`, metricName: 'Errors' };
  for (const [id, { logGroup }] of Object.entries(functions))
    new MetricFilter(scope, `Errors-${id}`, { logGroup, filterPattern: FAILED, ...metric });
  new MetricFilter(scope, 'Errors-calls', { logGroup: accessLogs, filterPattern: ANSWERED_5XX, ...metric });
  return new Metric({
    namespace: metric.metricNamespace,
    metricName: metric.metricName,
    statistic: Stats.SUM,
    period,
  });
}
