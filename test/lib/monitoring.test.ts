import { runInNewContext } from 'node:vm';
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { describe, expect, it } from 'vitest';
import { costOfEach } from '../../bench/cost/model.ts';
import { readRecord } from '../../bench/cost/record.ts';
import { ESTIMATED_COSTS, estimatedCost } from '../../lib/estimated-cost.ts';
import { synthesize, target } from './synthesize.ts';

const { all, resources, fn, environment } = synthesize();
const alarms = all('AWS::CloudWatch::Alarm').map(([, r]) => r.Properties);

describe('alarms', () => {
  it.each(['ParkedRows', 'VideosMissing', 'EndpointDisabled'])('ring when a stage counts %s', (metric) => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        Namespace: 'WebhookBridge',
        MetricName: metric,
        Dimensions: [{ Name: 'service', Value: 'TopazWebhookBridge' }],
        Statistic: 'Sum',
        Threshold: 1,
      }),
    );
  });

  it.each([
    ['key', 10],
    ['load', 900],
  ])('ring when all polling is paused because of the %s for %i seconds', (reason, Threshold) => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        MetricName: 'UpstreamPaused',
        Dimensions: [
          { Name: 'reason', Value: reason },
          { Name: 'service', Value: 'TopazWebhookBridge' },
        ],
        Statistic: 'Maximum',
        Threshold,
      }),
    );
  });

  it('ring for a dead letter of any lane', () => {
    const deadLetters = all('AWS::SQS::Queue').flatMap(([, r]) => {
      const redrive = r.Properties.RedrivePolicy as { deadLetterTargetArn: unknown } | undefined;
      return redrive ? [target(redrive.deadLetterTargetArn)] : [];
    });
    expect(deadLetters).toHaveLength(5);
    const watched = alarms
      .filter((alarm) => alarm.MetricName === 'ApproximateNumberOfMessagesVisible')
      .map((alarm) =>
        target((alarm.Dimensions as { Value: { 'Fn::GetAtt': [string, string] } }[])[0]!.Value),
      );
    expect(watched).toEqual([...new Set(deadLetters)]);
  });

  it('ring when the oldest overdue row of any lane is two hours late', () => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        MetricName: 'OldestOverdue',
        Dimensions: [{ Name: 'service', Value: 'TopazWebhookBridge' }],
        Statistic: 'Maximum',
        Threshold: 7200,
      }),
    );
  });

  it('ring when functions fail, or calls are answered 5xx, five times', () => {
    const [errors] = alarms.filter((alarm) => alarm.MetricName === 'Errors');
    expect(errors).toMatchObject({
      Namespace: 'WebhookBridge/TopazWebhookBridge',
      Statistic: 'Sum',
      Threshold: 5,
      TreatMissingData: 'notBreaching',
    });
    expect(errors).not.toHaveProperty('Dimensions');
    const filters = all('AWS::Logs::MetricFilter').map(([, { Properties }]) => Properties);
    for (const { MetricTransformations } of filters) {
      expect(MetricTransformations).toEqual([
        { MetricNamespace: errors?.Namespace, MetricName: 'Errors', MetricValue: '1' },
      ]);
    }
    const failed = '{ ($.type = "platform.report") && ($.record.status != "success") }';
    const logOf = (stage: string) =>
      target((fn(stage)[1].Properties.LoggingConfig as { LogGroup: unknown }).LogGroup);
    const [[, stage] = []] = all('AWS::ApiGatewayV2::Stage');
    const calls = (stage!.Properties.AccessLogSettings as { DestinationArn: unknown }).DestinationArn;
    expect(
      Object.fromEntries(filters.map((each) => [target(each.LogGroupName), each.FilterPattern])),
    ).toEqual({
      ...Object.fromEntries(
        ['tick', 'poll', 'copy', 'dispatch', 'deliver'].map((each) => [logOf(each), failed]),
      ),
      [target(calls)]: '{ $.status = "5*" }',
    });
  });

  it('watch one metric each, since an alarm is billed by its metrics', () => {
    for (const alarm of alarms) expect(alarm).toHaveProperty('MetricName');
  });

  it('are found by the beginning of their names, which the api stage gets', () => {
    const prefix = String(environment('api').ALARM_PREFIX);
    for (const [id] of all('AWS::CloudWatch::Alarm')) expect(`TopazWebhookBridge-${id}`).toContain(prefix);
    expect(prefix).toMatch(/^TopazWebhookBridge-\w*Monitoring$/);
  });

  it('ring when Lambda has refused polls in each of three periods', () => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        Namespace: 'AWS/Lambda',
        MetricName: 'Throttles',
        Dimensions: [{ Name: 'FunctionName', Value: { Ref: fn('poll')[0] } }],
        Statistic: 'Sum',
        Period: 300,
        EvaluationPeriods: 3,
        Threshold: 1,
        TreatMissingData: 'notBreaching',
      }),
    );
  });

  it('ring when the clock falls silent', () => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        MetricName: 'Invocations',
        Dimensions: [{ Name: 'FunctionName', Value: { Ref: fn('tick')[0] } }],
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'breaching',
      }),
    );
  });

  it('all go to one topic, which the alarms of this account may use', () => {
    const topics = new Set(alarms.flatMap((alarm) => (alarm.AlarmActions as unknown[]).map(target)));
    expect([...topics].map((id) => resources[id]!.Type)).toEqual(['AWS::SNS::Topic']);
    const [[, policy] = []] = all('AWS::SNS::TopicPolicy');
    expect((policy!.Properties.PolicyDocument as { Statement: unknown[] }).Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    );
  });

  it('are mailed to the address of the setting, and without it to none', () => {
    expect(all('AWS::SNS::Subscription')).toEqual([]);
    const mailed = synthesize({ alarmEmail: 'ops@example.com' }).all('AWS::SNS::Subscription');
    expect(mailed.map(([, r]) => r.Properties)).toMatchObject([
      { Protocol: 'email', Endpoint: 'ops@example.com' },
    ]);
  });
});

describe('the dashboard', () => {
  it('shows every lane and every stage', () => {
    const body = JSON.stringify(all('AWS::CloudWatch::Dashboard')[0]![1].Properties.DashboardBody);
    for (const lane of ['poll', 'copy', 'dispatch', 'deliver', 'deliver-slow']) {
      for (const metric of ['OverdueRows', 'OldestOverdue']) {
        expect(body).toContain(`\\"${metric}\\",\\"lane\\",\\"${lane}\\"`);
      }
    }
    for (const stage of ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver']) {
      expect(body).toContain(`"${fn(stage)[0]}"`);
    }
  });

  it('estimates the cost of polls, events, webhooks and copies as the model of costs does', () => {
    const counted = costOfEach(readRecord().units);
    expect(Object.keys(ESTIMATED_COSTS)).toEqual(Object.keys(counted));
    for (const [work, dollars] of Object.entries(counted)) {
      const estimated = ESTIMATED_COSTS[work as keyof typeof counted] / 1e6;
      expect(Math.abs(estimated / dollars - 1), work).toBeLessThan(0.02);
    }
  });

  it('adds up what each metric costs, also while some have no data', () => {
    const { expression, usingMetrics } = estimatedCost(
      () => new Metric({ namespace: 'Any', metricName: 'Any' }),
      Duration.minutes(5),
    );
    const { poll, event, delivery, copy, gbCopied } = ESTIMATED_COSTS;
    const dollars = (counts: Record<string, number>) => {
      const none = Object.fromEntries(Object.keys(usingMetrics).map((name) => [name, undefined]));
      const FILL = (value: number | undefined, otherwise: number) => value ?? otherwise;
      return runInNewContext(expression, { ...none, ...counts, FILL }) as number;
    };
    expect(dollars({ polls: 23 })).toBeCloseTo((23 * poll) / 1e6, 12);
    expect(dollars({ transitions: 7, deliveries: 14 })).toBeCloseTo((7 * event + 14 * delivery) / 1e6, 12);
    // Its event is observed by no poll.
    expect(dollars({ copies: 1, bytes: 2e9 })).toBeCloseTo((copy + event + 2 * gbCopied) / 1e6, 12);
  });

  it('shows whether the account has too little concurrency', () => {
    const body = JSON.stringify(all('AWS::CloudWatch::Dashboard')[0]![1].Properties.DashboardBody);
    expect(body.match(/\\"Throttles\\"/g)).toHaveLength(6);
  });
});
