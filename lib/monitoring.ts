import { Duration, Stack, Validations } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { type BridgeFunction, METRIC_NAMESPACE, SERVICE } from './bridge-function.ts';
import type { LaneQueue } from './lane-queue.ts';

export type MonitoringProps = {
  /** Every function, by the name that the dashboard shows. */
  readonly functions: Readonly<Record<string, BridgeFunction>>;
  /** The one whose silence stops everything. */
  readonly tick: BridgeFunction;
  readonly queues: readonly LaneQueue[];
  /** Who is told of alarms. */
  readonly alarmEmail?: string;
};

const PERIOD = Duration.minutes(5);
const BEHIND = Duration.hours(2);
/** A key's first refusal brakes for less than this, and may be meant for one request only. */
const KEY_CONFIRMED = Duration.seconds(10);
/** Load that passes sooner needs nobody. */
const LASTING = Duration.minutes(15);

/** What to look at, and what to be woken by. */
export class Monitoring extends Construct {
  readonly dashboardUrl: string;
  private readonly topic: Topic;

  constructor(scope: Construct, id: string, { functions, tick, queues, alarmEmail }: MonitoringProps) {
    super(scope, id);
    this.topic = this.alarmTopic(alarmEmail);
    this.alarmOfRows();
    for (const queue of queues) this.alarmOfQueue(queue);
    this.alarmOfFunctions(Object.values(functions), tick);
    this.dashboardUrl = this.dashboard(functions, queues);
  }

  private alarmTopic(email: string | undefined): Topic {
    const topic = new Topic(this, 'Alarms', { enforceSSL: true });
    // A topic with a policy of its own no longer admits the account's alarms by itself.
    topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (email) {
      Validations.of(topic.addSubscription(new EmailSubscription(email))).acknowledge({
        id: 'Serverless-SNSRedrivePolicy',
        reason: 'A mail about an alarm that is over is of no use; the alarm itself stays on the dashboard.',
      });
    }
    return topic;
  }

  private alarmOfRows(): void {
    this.alarm('Parked', count('ParkedRows'), 'Work killed its worker eight times and waits for a person.');
    this.alarm(
      'KeyRefused',
      braked('key'),
      'Topaz refuses the API key, or there is none: all polling waits for a person.',
      KEY_CONFIRMED.toSeconds(),
    );
    this.alarm(
      'Overloaded',
      braked('load'),
      `Topaz has asked for patience for ${LASTING.toHumanString()}; all polling waits.`,
      LASTING.toSeconds(),
    );
    this.alarm('RequestsLost', count('RequestsLost'), 'Topaz no longer knows a request, or never ended it.');
    this.alarm('CopyFailed', count('CopyFailed'), 'A video could not be stored; its request says why.');
    this.alarm(
      'EndpointDisabled',
      count('EndpointDisabled'),
      'An endpoint was given up; enable it when it works.',
    );
  }

  private alarmOfQueue({ lane, queue, deadLetters }: LaneQueue): void {
    this.alarm(
      `DeadLetters-${lane}`,
      deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD }),
      `A hint of the lane ${lane} failed ten times. Its row goes on by the sweep; its function's logs say why.`,
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
        queues.map(({ lane }) => bridgeMetric('OverdueRows', Stats.MAXIMUM, { lane })),
      ),
      graph('Troubles', ['ParkedRows', 'RequestsLost', 'CopyFailed', 'EndpointDisabled'].map(count)),
      graph('Upstream braked (s)', [braked('key'), braked('load')]),
      graph('Failed deliveries', [count('DeliveriesFailed')]),
      graph('Bytes copied', [count('BytesCopied')]),
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
}

/** A metric that the functions write to their logs. */
function bridgeMetric(
  metricName: string,
  statistic: string,
  dimensions: Record<string, string> = {},
): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName,
    statistic,
    dimensionsMap: { service: SERVICE, ...dimensions },
    label: dimensions.lane,
    period: PERIOD,
  });
}

function count(metricName: string): Metric {
  return bridgeMetric(metricName, Stats.SUM);
}

/** For how long polling is braked by a brake's end, s. */
const braked = (reason: 'key' | 'load'): Metric => bridgeMetric('UpstreamBraked', Stats.MAXIMUM, { reason });

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 6, leftYAxis: { min: 0 } });
}
