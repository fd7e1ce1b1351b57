import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  type MetricOptions,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { METRIC_NAMESPACE, METRICS, type MetricName, type SummedMetric } from '../lambdas/domain/metrics.ts';
import type { BridgeFunction } from './bridge-function.ts';
import type { LaneQueue } from './lane-queue.ts';

export type MonitoringProps = {
  /** Every function, by the name that the dashboard shows. */
  readonly functions: Readonly<Record<string, BridgeFunction>>;
  /** The one whose silence stops everything. */
  readonly tick: BridgeFunction;
  readonly queues: readonly LaneQueue[];
  /** Where alarms go. */
  readonly alarmTopic?: ITopic;
  /** The deployment's name in its metrics. */
  readonly bridgeName: string;
};

const PERIOD = Duration.minutes(5);
const BEHIND = Duration.hours(2);
/** A key's first refusal pauses polling for less than this, and may be meant for one request only. */
const KEY_CONFIRMED = Duration.seconds(10);
/** Load that passes sooner needs nobody. */
const LASTING = Duration.minutes(15);

/** The dashboard, and the alarms with the topic that they go to. */
export class Monitoring extends Construct {
  readonly dashboardUrl: string;
  /** Where alarms go. */
  readonly topic: ITopic;
  private readonly bridgeName: string;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { functions, tick, queues } = props;
    this.bridgeName = props.bridgeName;
    this.topic = props.alarmTopic ?? this.newTopic();
    this.alarmOfRows();
    for (const queue of queues) this.alarmOfQueue(queue);
    this.alarmOfFunctions(Object.values(functions), tick);
    this.dashboardUrl = this.dashboard(functions, queues);
  }

  private newTopic(): Topic {
    const topic = new Topic(this, 'Alarms', { enforceSSL: true });
    // A topic with a policy of its own no longer admits the account's alarms unless the policy does.
    topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    return topic;
  }

  private alarmOfRows(): void {
    this.alarm(
      'Parked',
      this.sum('ParkedRows'),
      'Work made no progress in eight tries, or needs a person: GET /v1/parked names it.',
    );
    this.alarm(
      'KeyRefused',
      this.paused('key'),
      'Topaz refuses the API key, or there is none: all polling is paused until you put a valid key into its secret.',
      KEY_CONFIRMED.toSeconds(),
    );
    this.alarm(
      'Overloaded',
      this.paused('load'),
      `Topaz has refused polls for ${LASTING.toHumanString()}, or asked for so long a wait: all polling is paused.`,
      LASTING.toSeconds(),
    );
    this.alarm(
      'RequestsLost',
      this.sum('RequestsLost'),
      'Topaz no longer knows a request, or never ended it.',
    );
    this.alarm(
      'CopyFailed',
      this.sum('CopyFailed'),
      'A video could not be stored; GET /v1/requests/{id} says why.',
    );
    this.alarm(
      'EndpointDisabled',
      this.sum('EndpointDisabled'),
      'An endpoint failed for too long and was disabled; enable it when it works.',
    );
  }

  private alarmOfQueue({ lane, queue, deadLetters }: LaneQueue): void {
    this.alarm(
      `DeadLetters-${lane}`,
      deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD }),
      `A message of the lane ${lane} failed ten times. The sweep wakes its row again; the function's logs say why.`,
    );
    this.alarm(
      `Behind-${lane}`,
      queue.metricApproximateAgeOfOldestMessage({ period: PERIOD }),
      `The lane ${lane} is more than ${BEHIND.toHumanString()} behind.`,
      BEHIND.toSeconds(),
    );
  }

  private alarmOfFunctions(functions: BridgeFunction[], tick: BridgeFunction): void {
    const errors = functions.map((fn, i) => [`e${i}`, fn.metricErrors({ period: PERIOD })] as const);
    const sum = new MathExpression({
      expression: errors.map(([name]) => name).join(' + '),
      usingMetrics: Object.fromEntries(errors),
      label: 'Errors of all functions',
      period: PERIOD,
    });
    // A single crash is what leases and the sweep are for; a series of them is a bug.
    this.alarm('Errors', sum, 'Functions fail again and again; their logs say why.', 5);
    new Alarm(this, 'ClockStopped', {
      alarmDescription: 'The sweep does not run: lost hints and retries beyond 15 minutes stay undone.',
      metric: tick.metricInvocations({ period: PERIOD }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 2,
      treatMissingData: TreatMissingData.BREACHING,
    }).addAlarmAction(new SnsAction(this.topic));
  }

  private alarm(id: string, metric: IMetric, alarmDescription: string, threshold = 1): void {
    new Alarm(this, id, {
      metric,
      alarmDescription,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(this.topic));
  }

  private dashboard(functions: Record<string, BridgeFunction>, queues: readonly LaneQueue[]): string {
    const dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.hours(12) });
    dashboard.addWidgets(
      graph(
        'Overdue rows',
        queues.map(({ lane }) => this.of('OverdueRows', Stats.MAXIMUM, lane)),
      ),
      graph(
        'Needs a person',
        (['ParkedRows', 'RequestsLost', 'CopyFailed', 'EndpointDisabled'] as const).map((name) =>
          this.sum(name),
        ),
      ),
      graph('Upstream paused (s)', [this.paused('key'), this.paused('load')]),
      graph('Failed deliveries', [this.sum('DeliveriesFailed')]),
      graph('Bytes copied', [this.sum('BytesCopied')]),
    );
    dashboard.addWidgets(
      graph(
        'Hints waiting',
        queues.map(({ lane, queue }) =>
          queue.metricApproximateNumberOfMessagesVisible({ label: lane, period: PERIOD }),
        ),
      ),
      graph(
        'Oldest hint (s)',
        queues.map(({ lane, queue }) =>
          queue.metricApproximateAgeOfOldestMessage({ label: lane, period: PERIOD }),
        ),
      ),
      graph(
        'Errors',
        Object.entries(functions).map(([label, fn]) => fn.metricErrors({ label, period: PERIOD })),
      ),
      graph(
        'Throttled: no concurrency left',
        Object.entries(functions).map(([label, fn]) => fn.metricThrottles({ label, period: PERIOD })),
      ),
      graph(
        'Duration p99 (ms)',
        Object.entries(functions).map(([label, fn]) =>
          fn.metricDuration({ label, period: PERIOD, statistic: Stats.percentile(99) }),
        ),
      ),
    );
    const { region } = Stack.of(this);
    const console = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}`;
    return `${console}#dashboards/dashboard/${dashboard.dashboardName}`;
  }

  private sum(name: SummedMetric): Metric {
    return this.of(name, Stats.SUM);
  }

  /** For how long polling has waited when the present pause ends, s. */
  private paused(reason: 'key' | 'load'): Metric {
    return this.of('UpstreamPaused', Stats.MAXIMUM, reason);
  }

  /** A metric of this deployment: the sum of five minutes, or the greatest value of what has a dimension. */
  metric(name: MetricName, options: MetricOptions = {}): Metric {
    const { dimension } = METRICS[name] as { dimension?: string };
    const { dimensionsMap, ...others } = options;
    const statistic = dimension ? Stats.MAXIMUM : Stats.SUM;
    return this.of(name, statistic, dimension && dimensionsMap?.[dimension]).with(others);
  }

  /** A metric that the functions of this deployment write to their logs. */
  private of(name: MetricName, statistic: string, dimensionValue?: string): Metric {
    const { dimension } = METRICS[name] as { dimension?: string };
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: name,
      statistic,
      dimensionsMap: {
        service: this.bridgeName,
        ...(dimension && dimensionValue && { [dimension]: dimensionValue }),
      },
      ...(name === 'OverdueRows' && { label: dimensionValue }),
      period: PERIOD,
    });
  }
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 6, leftYAxis: { min: 0 } });
}
