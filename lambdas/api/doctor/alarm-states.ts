import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { Alarm, Deployment } from './deployment-checks.ts';

/** Between what an alarm means and its section of the runbook, in its description (lib/monitoring.ts). */
const BETWEEN = ' What to do: ';

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
        const [meaning = '', section = 'docs/runbook.md'] = AlarmDescription.split(BETWEEN);
        alarms.push({ meaning, section, isRaised: StateValue === 'ALARM' });
      }
      NextToken = answer.NextToken;
    } while (NextToken);
    return alarms;
  };
}
