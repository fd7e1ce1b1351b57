import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import { METRIC_NAMESPACE, type SummedMetric } from '../../domain/metrics.ts';

/** Sums of metrics by period, in order; `at` in ms since epoch, the beginning of the period. */
type MetricPoint = { readonly at: number; readonly value: number };

export type MetricHistory = (
  names: readonly SummedMetric[],
  from: number,
  until: number,
  periodMs: number,
) => Promise<ReadonlyMap<SummedMetric, readonly MetricPoint[]>>;

/**
 * The bridge's own metrics from CloudWatch (GetMetricData). Periods without data are left out there.
 *
 * @param service the deployment's name, which its metrics carry as the dimension `service`
 */
export function createMetricHistory(client: CloudWatchClient, service: string): MetricHistory {
  return async (names, from, until, periodMs) => {
    const MetricDataQueries = names.map(
      (MetricName, i): MetricDataQuery => ({
        Id: `m${i}`,
        MetricStat: {
          Metric: {
            Namespace: METRIC_NAMESPACE,
            MetricName,
            Dimensions: [{ Name: 'service', Value: service }],
          },
          Period: periodMs / 1000,
          Stat: 'Sum',
        },
      }),
    );
    const points = new Map<SummedMetric, MetricPoint[]>(names.map((name) => [name, []]));
    let NextToken: string | undefined;
    do {
      const answer = await client.send(
        new GetMetricDataCommand({
          MetricDataQueries,
          StartTime: new Date(from),
          EndTime: new Date(until),
          ScanBy: 'TimestampAscending',
          NextToken,
        }),
      );
      for (const { Id = '', Timestamps = [], Values = [] } of answer.MetricDataResults ?? []) {
        const name = names[Number(Id.slice(1))];
        const own = name && points.get(name);
        for (const [i, at] of Timestamps.entries()) own?.push({ at: at.getTime(), value: Values[i] ?? 0 });
      }
      NextToken = answer.NextToken;
    } while (NextToken);
    return points;
  };
}
