import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  type CfnAlarm,
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
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { alarmDescription } from '../lambdas/domain/alarm-description.ts';
import { METRIC_NAMESPACE, METRICS, type MetricName } from '../lambdas/domain/metrics.ts';
import type { BridgeFunction, StageName } from './bridge-function.ts';
import type { DeadLetters } from './dead-letters.ts';
import { errorMetric } from './error-metric.ts';
import { estimatedCost } from './estimated-cost.ts';
import type { LaneQueue } from './lane-queue.ts';
import { savedQueries } from './saved-queries.ts';

type MonitoringProps = {
  readonly functions: Readonly<Record<StageName, BridgeFunction>>;
  readonly queues: readonly LaneQueue[];
  readonly deadLetters: DeadLetters;
  /** The log of the API's calls. */
  readonly accessLogs: ILogGroup;
  /** Where alarms go. */
  readonly alarmTopic?: ITopic;
  /** The deployment's name in its metrics. */
  readonly bridgeName: string;
};

const PERIOD = Duration.minutes(5);
const BEHIND = Duration.hours(2);
/** A key's first refusal pauses polling for less than this, and may be meant for one request only. */
const KEY_CONFIRMED = Duration.seconds(10);
/** Load that ends sooner needs no person. */
const LASTING = Duration.minutes(15);

/** The dashboard, the alarms with the topic that they go to, and queries of the logs. */
export class Monitoring extends Construct {
  readonly dashboardUrl: string;
  /** Where alarms go. */
  readonly topic: ITopic;
  /** What the names of all alarms begin with, and those of no others. */
  readonly alarmPrefix: string;
  private readonly props: MonitoringProps;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.props = props;
    this.topic = props.alarmTopic ?? this.newTopic();
    this.alarmOfRows();
    this.alarmOfDeadLetters();
    this.alarmOfFunctions();
    this.alarmPrefix = this.prefixOfAlarms();
    this.dashboardUrl = this.dashboard();
    savedQueries(this, props.bridgeName, props.functions);
  }

  /**
   * A metric of this deployment over five minutes: the sum of counts, the 95th percentile of durations, and the
   * greatest value of what is measured by the tick or has a dimension.
   */
  metric(name: MetricName, { dimensionsMap, ...options }: MetricOptions = {}): Metric {
    const { unit, dimension } = METRICS[name] as { unit: string; dimension?: string };
    const value = dimension && dimensionsMap?.[dimension];
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: name,
      statistic: STATISTICS[unit] ?? (dimension ? Stats.MAXIMUM : Stats.SUM),
      dimensionsMap: { service: this.props.bridgeName, ...(dimension && value && { [dimension]: value }) },
      // An alarm on a metric with a label is another kind of alarm; only graphs of lanes need one.
      ...(dimension === 'lane' && value && { label: value }),
      period: PERIOD,
    }).with(options);
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
      this.metric('ParkedRows'),
      'Work made no progress in eight tries, or needs a person: GET /v1/parked names it.',
    );
    this.alarm(
      'KeyRefused',
      this.paused('key'),
      'Topaz refuses the API key, or there is none: all polling is paused until you put a valid key into its secret.',
      { threshold: KEY_CONFIRMED.toSeconds() },
    );
    this.alarm(
      'Overloaded',
      this.paused('load'),
      `Topaz has refused polls for ${LASTING.toHumanString()}, or asked for so long a wait: all polling is paused.`,
      { threshold: LASTING.toSeconds() },
    );
    this.alarm(
      'VideosMissing',
      this.metric('VideosMissing'),
      'A request ended without its video: Topaz lost it or offers no download, or the video could not be stored. ' +
        'The newest events say which and why: GET /v1/events.',
    );
    this.alarm(
      'CopiesExpiring',
      this.metric('CopiesExpiring'),
      'A copy still fails, and Topaz may delete its video within six hours.',
    );
    this.alarm(
      'EndpointDisabled',
      this.metric('EndpointDisabled'),
      'An endpoint failed for five days or answered 410, and was disabled: enable it when it works.',
    );
    this.alarm(
      'Behind',
      this.metric('OldestOverdue'),
      `Work has been due for more than ${BEHIND.toHumanString()}; the dashboard shows in which lane.`,
      { threshold: BEHIND.toSeconds() },
    );
  }

  private alarmOfDeadLetters(): void {
    this.alarm(
      'DeadLetters',
      this.props.deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD }),
      'A message failed ten times: DynamoDB refused, the function crashes at its start, or the account has no ' +
        "concurrency left. The message names its lane; the logs of that lane's function say why. The sweep wakes its row.",
    );
  }

  private alarmOfFunctions(): void {
    const { functions, accessLogs, bridgeName } = this.props;
    // Calls are the only invocations of the api, and their log also has what Lambda refused.
    const { api: _, ...others } = functions;
    const errors = errorMetric(this, { functions: others, accessLogs, bridgeName, period: PERIOD });
    // Leases and the sweep handle one crash. A series is a bug.
    this.alarm(
      'Errors',
      errors,
      'Functions fail, or calls of the API are answered 5xx, again and again: a bug, or no concurrency left.',
      { threshold: 5 },
    );
    // All functions share the account's concurrency, and none is invoked as often as poll.
    this.alarm(
      'Throttled',
      functions.poll.metricThrottles({ period: PERIOD }),
      `Lambda has refused polls for ${LASTING.toHumanString()}: the account has no concurrency left.`,
      { evaluationPeriods: LASTING.toSeconds() / PERIOD.toSeconds() },
    );
    this.alarm(
      'ClockStopped',
      functions.tick.metricInvocations({ period: PERIOD }),
      'The sweep does not run: lost hints and retries beyond 15 minutes stay undone.',
      {
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: 2,
        treatMissingData: TreatMissingData.BREACHING,
      },
    );
  }

  /** An alarm that rings when the metric reaches 1 in a period, unless the options say otherwise. */
  private alarm(id: string, metric: IMetric, description: string, options: Partial<AlarmProps> = {}): void {
    new Alarm(this, id, {
      metric,
      alarmDescription: this.described(id, description),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...options,
    }).addAlarmAction(new SnsAction(this.topic));
  }

  /**
   * CloudFormation names a resource by its stack and logical id, and the CDK builds the logical ids from the path, so
   * those of this construct's alarms begin alike. The function api gets the beginning rather than all names, so that
   * no deployment of it waits for alarms.
   */
  private prefixOfAlarms(): string {
    const stack = Stack.of(this);
    const [first = '', ...others] = this.node.children
      .filter((child) => child instanceof Alarm)
      .map((alarm) => stack.getLogicalId(alarm.node.defaultChild as CfnAlarm));
    const shared = [...first].findIndex((letter, at) => others.some((other) => other[at] !== letter));
    return `${stack.stackName}-${first.slice(0, shared)}`;
  }

  /** Each alarm has a section of the runbook, named like it. */
  private described(id: string, description: string): string {
    return alarmDescription(description, id.toLowerCase());
  }

  private dashboard(): string {
    const { functions, queues, deadLetters } = this.props;
    const each = (of: (fn: BridgeFunction, label: string) => IMetric) =>
      Object.entries(functions).map(([label, fn]) => of(fn, label));
    const dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.hours(12) });
    dashboard.addWidgets(
      graph('Needs a person', this.counts('ParkedRows', 'VideosMissing', 'EndpointDisabled')),
      graph('Oldest overdue (s)', this.ofLanes('OldestOverdue')),
      graph('Overdue rows', this.ofLanes('OverdueRows')),
      graph('Upstream paused (s)', [this.paused('key'), this.paused('load')]),
    );
    dashboard.addWidgets(
      graph('Polls, and those without a status', this.counts('Polls', 'PollFaults')),
      graph('Polls late by (ms)', this.percentiles('PollLateness')),
      graph('Transitions', this.counts('Transitions')),
      graph('Polls per transition', [
        new MathExpression({
          expression: 'polls / transitions',
          usingMetrics: { polls: this.metric('Polls'), transitions: this.metric('Transitions') },
          label: 'polls per transition',
          period: PERIOD,
        }),
      ]),
    );
    dashboard.addWidgets(
      graph('Copies', this.counts('CopiesStored', 'VideosMissing', 'CopiesExpiring')),
      graph('Copied (bytes per second)', [
        new MathExpression({
          expression: `bytes / ${PERIOD.toSeconds()}`,
          usingMetrics: { bytes: this.metric('BytesCopied') },
          label: 'throughput',
          period: PERIOD,
        }),
      ]),
      graph('Deliveries', this.counts('DeliveriesSucceeded', 'DeliveriesFailed')),
      graph('From delivery to receipt (ms)', this.percentiles('DeliveryLatency')),
    );
    dashboard.addWidgets(
      graph(
        'Hints waiting',
        queues.map(({ lane, queue }) =>
          queue.metricApproximateNumberOfMessagesVisible({ label: lane, period: PERIOD }),
        ),
      ),
      graph('Dead letters', [deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD })]),
      graph(
        'Oldest hint (s)',
        queues.map(({ lane, queue }) =>
          queue.metricApproximateAgeOfOldestMessage({ label: lane, period: PERIOD }),
        ),
      ),
      graph('Estimated cost ($ per 5 minutes)', [estimatedCost((name) => this.metric(name), PERIOD)]),
    );
    dashboard.addWidgets(
      graph(
        'Errors',
        each((fn, label) => fn.metricErrors({ label, period: PERIOD })),
      ),
      graph(
        'Throttled: no concurrency left',
        each((fn, label) => fn.metricThrottles({ label, period: PERIOD })),
      ),
      graph(
        'Concurrent invocations',
        each((fn, label) =>
          fn.metric('ConcurrentExecutions', { label, period: PERIOD, statistic: Stats.MAXIMUM }),
        ),
      ),
      graph(
        'Duration p99 (ms)',
        each((fn, label) => fn.metricDuration({ label, period: PERIOD, statistic: Stats.percentile(99) })),
      ),
    );
    const { region } = Stack.of(this);
    const console = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}`;
    return `${console}#dashboards/dashboard/${dashboard.dashboardName}`;
  }

  private counts(...names: MetricName[]): Metric[] {
    return names.map((name) => this.metric(name));
  }

  private ofLanes(name: MetricName): Metric[] {
    return this.props.queues.map(({ lane }) => this.metric(name, { dimensionsMap: { lane } }));
  }

  private percentiles(name: MetricName): Metric[] {
    return [50, 95].map((p) => this.metric(name, { statistic: Stats.percentile(p), label: `p${p}` }));
  }

  /** How long polling will have waited when the present pause ends, s. */
  private paused(reason: 'key' | 'load'): Metric {
    return this.metric('UpstreamPaused', { dimensionsMap: { reason } });
  }
}

/** How a metric is aggregated over time, by its unit, where it is not summed. */
const STATISTICS: Record<string, string> = { Seconds: Stats.MAXIMUM, Milliseconds: Stats.percentile(95) };

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 6, leftYAxis: { min: 0 } });
}
