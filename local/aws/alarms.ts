import type { Template } from '../runtime/template.ts';
import type { MetricQuery, Metrics } from './metrics.ts';
import type { StubAnswer } from './stubs.ts';

/** An alarm on one metric, as a template has it. */
type AlarmProperties = Omit<MetricQuery, 'Period'> & {
  AlarmDescription?: string;
  Period: number;
  Threshold: number;
};

/**
 * Answers CloudWatch's `DescribeAlarms` by the alarms of the template, named as CloudFormation names them. Those
 * on a metric that the functions write are raised when its last period reaches the threshold. Those on metrics of
 * AWS's own, which nothing writes here, have too little data.
 */
export function describeAlarms(
  template: Template,
  stackName: string,
  metrics: Metrics,
  body: Record<string, unknown>,
): StubAnswer {
  const prefix = String(body.AlarmNamePrefix ?? '');
  const MetricAlarms = template
    .ofType('AWS::CloudWatch::Alarm')
    .map(({ logicalId, properties }) => {
      const { AlarmDescription, Threshold, ...metric } = properties as unknown as AlarmProperties;
      const value = metrics.latest(metric, Date.now());
      const state = value === undefined ? 'INSUFFICIENT_DATA' : value >= Threshold ? 'ALARM' : 'OK';
      return { AlarmName: `${stackName}-${logicalId}-LOCAL`, AlarmDescription, StateValue: state };
    })
    .filter(({ AlarmName }) => AlarmName.startsWith(prefix));
  return { status: 200, body: { MetricAlarms, CompositeAlarms: [] } };
}
