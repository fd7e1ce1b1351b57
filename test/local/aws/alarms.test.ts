import { expect, test } from 'vitest';
import { describeAlarms } from '../../../local/aws/alarms.ts';
import { Metrics } from '../../../local/aws/metrics.ts';
import type { Template } from '../../../local/runtime/template.ts';

const alarm = (logicalId: string, properties: object) => ({
  logicalId,
  properties: { Namespace: 'Bridge', Period: 300, Threshold: 2, AlarmDescription: logicalId, ...properties },
});

function world(...alarms: ReturnType<typeof alarm>[]) {
  const metrics = new Metrics();
  const template = { ofType: () => alarms } as unknown as Template;
  const write = (name: string, value: number, age = 0) =>
    metrics.record(
      JSON.stringify({
        _aws: {
          Timestamp: Date.now() - age,
          CloudWatchMetrics: [{ Namespace: 'Bridge', Dimensions: [['service']], Metrics: [{ Name: name }] }],
        },
        service: 'mine',
        [name]: value,
      }),
    );
  const states = (prefix = 'Stack-') => {
    const { body } = describeAlarms(template, 'Stack', metrics, { AlarmNamePrefix: prefix });
    const found = body.MetricAlarms as { AlarmName: string; StateValue: string }[];
    return found.map(({ AlarmName, StateValue }) => `${AlarmName} ${StateValue}`);
  };
  return { write, states };
}
const Dimensions = [{ Name: 'service', Value: 'mine' }];

test('an alarm is raised by the sum or the greatest value of its period', () => {
  const { write, states } = world(
    alarm('Sum', { MetricName: 'Failures', Statistic: 'Sum', Dimensions }),
    alarm('Most', { MetricName: 'Failures', Statistic: 'Maximum', Dimensions }),
  );
  expect(states()).toEqual(['Stack-Sum-LOCAL INSUFFICIENT_DATA', 'Stack-Most-LOCAL INSUFFICIENT_DATA']);
  write('Failures', 5, 301_000);
  write('Failures', 1);
  expect(states()).toEqual(['Stack-Sum-LOCAL OK', 'Stack-Most-LOCAL OK']);
  write('Failures', 1);
  expect(states()).toEqual(['Stack-Sum-LOCAL ALARM', 'Stack-Most-LOCAL OK']);
});

test('an alarm is found by the beginning of its name, and one on a metric of AWS has too little data', () => {
  const { states } = world(
    alarm('Mine', { MetricName: 'Errors', Statistic: 'Sum' }),
    alarm('Other', { Metrics: [] }),
  );
  expect(states('Stack-Mi')).toEqual(['Stack-Mine-LOCAL INSUFFICIENT_DATA']);
  expect(states('Stack-Ot')).toEqual(['Stack-Other-LOCAL INSUFFICIENT_DATA']);
});
