import type { StubAnswer } from './stubs.ts';

/** One value of a metric, as a function wrote it in CloudWatch's embedded metric format. */
type Datum = {
  at: number;
  value: number;
};

type EmbeddedMetrics = {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
  };
  [field: string]: unknown;
};

type Metric = { Namespace: string; MetricName: string; Dimensions?: { Name: string; Value: string }[] };
/** A metric over periods of this many seconds. */
export type MetricQuery = Metric & { Period: number; Statistic?: string };

type MetricDataQuery = {
  Id: string;
  MetricStat: { Metric: Metric; Period: number; Stat: string };
};

/** Longer than any range that is asked for, ms. */
const KEPT_MS = 8 * 86_400_000;

/** Stands in for CloudWatch: keeps the metrics that functions write to their logs, and sums them up. */
export class Metrics {
  private readonly data = new Map<string, Datum[]>();

  /** Keeps the metrics in a line of a log, if it holds any. */
  record(line: string): void {
    const parsed = line.includes('"_aws"') ? parse(line) : undefined;
    for (const { Namespace, Dimensions, Metrics } of parsed?._aws?.CloudWatchMetrics ?? []) {
      for (const names of Dimensions) {
        const dimensions = names.map((name) => `${name}=${String(parsed?.[name])}`);
        for (const { Name } of Metrics) {
          const values = [parsed?.[Name]].flat().map(Number);
          const sum = values.reduce((total, value) => total + value, 0);
          this.add(keyOf(Namespace, Name, dimensions), { at: parsed?._aws.Timestamp ?? 0, value: sum });
        }
      }
    }
  }

  /** Answers `GetMetricData` for sums by period. */
  getMetricData(body: Record<string, unknown>): StubAnswer {
    const from = Number(body.StartTime) * 1000;
    const until = Number(body.EndTime) * 1000;
    const queries = body.MetricDataQueries as MetricDataQuery[];
    const MetricDataResults = queries.map(({ Id, MetricStat: { Metric, Period } }) => {
      const data = this.dataOf(Metric);
      const sums = new Map<number, number>();
      for (const { at, value } of data.filter(({ at }) => at >= from && at < until)) {
        const period = Math.floor(at / 1000 / Period) * Period;
        sums.set(period, (sums.get(period) ?? 0) + value);
      }
      const sorted = [...sums].sort(([a], [b]) => a - b);
      return {
        Id,
        Label: Metric.MetricName,
        StatusCode: 'Complete',
        Timestamps: sorted.map(([time]) => time),
        Values: sorted.map(([, value]) => value),
      };
    });
    return { status: 200, body: { MetricDataResults, Messages: [] } };
  }

  /** The sum, or the greatest value, of the period that ends now; undefined without data. */
  latest({ Period, Statistic, ...metric }: MetricQuery, now: number): number | undefined {
    const values = this.dataOf(metric).flatMap(({ at, value }) => (at > now - Period * 1000 ? [value] : []));
    if (values.length === 0) return undefined;
    return Statistic === 'Maximum' ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0);
  }

  private dataOf({ Namespace, MetricName, Dimensions = [] }: Metric): Datum[] {
    const dimensions = Dimensions.map(({ Name, Value }) => `${Name}=${Value}`);
    return this.data.get(keyOf(Namespace, MetricName, dimensions)) ?? [];
  }

  private add(key: string, datum: Datum): void {
    const data = (this.data.get(key) ?? []).filter(({ at }) => at > datum.at - KEPT_MS);
    this.data.set(key, [...data, datum]);
  }
}

const keyOf = (namespace: string, name: string, dimensions: string[]): string =>
  [namespace, name, ...dimensions.sort()].join('\n');

function parse(line: string): EmbeddedMetrics | undefined {
  try {
    return JSON.parse(line) as EmbeddedMetrics;
  } catch {
    return undefined;
  }
}
