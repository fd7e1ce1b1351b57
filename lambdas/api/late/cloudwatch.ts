import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { AWS_CLIENT } from '../../adapters/lambda/aws-client.ts';
import { createAlarmStates } from '../doctor/alarm-states.ts';
import { createMetricHistory } from '../stats/metric-history.ts';

const client = new CloudWatchClient(AWS_CLIENT);

export const metricHistory = (service: string) => createMetricHistory(client, service);
export const alarmStates = (prefix: string) => createAlarmStates(client, prefix);
