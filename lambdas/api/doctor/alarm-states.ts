import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { readAlarmDescription } from '../../domain/alarm-description.ts';
import type { Alarm, Deployment } from './deployment-checks.ts';

/**
 * The alarms of the deployment.
 *
 * @param prefix what the names of all of them, and of no others, begin with
 */
export function createAlarmStates(client: CloudWatchClient, prefix: string): Deployment['alarms'] {
  return async () => {
    const alarms: Alarm[] = [];
    let NextToken: string | undefined;
    do {
      const answer = await client.send(new DescribeAlarmsCommand({ AlarmNamePrefix: prefix, NextToken }));
      for (const { AlarmDescription = '', StateValue } of answer.MetricAlarms ?? []) {
        alarms.push({ ...readAlarmDescription(AlarmDescription), isRaised: StateValue === 'ALARM' });
      }
      NextToken = answer.NextToken;
    } while (NextToken);
    return alarms;
  };
}
