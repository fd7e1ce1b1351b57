import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { BridgeFunction, type Telemetry } from './bridge-function.ts';

/** The one clock: runs the tick stage every minute. */
export class Clock extends Construct {
  readonly fn: BridgeFunction;

  constructor(scope: Construct, id: string, { telemetry }: { telemetry: Telemetry }) {
    super(scope, id);
    this.fn = new BridgeFunction(this, 'Function', {
      stage: 'tick',
      // Ends before the next one begins.
      timeout: Duration.seconds(55),
      memorySize: 512,
      telemetry,
    });
    // The next tick does what one that failed did not: neither the schedule nor Lambda repeats it.
    this.fn.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    acknowledge(
      this.fn,
      'Serverless-LambdaAsyncFailureDestination',
      'A tick carries no data: nothing of one that failed is worth keeping, and an alarm reports it.',
    );

    const role = new Role(this, 'Role', {
      // Only for schedules of this account: the service acts for all.
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.fn.functionArn] }),
    );
    new CfnSchedule(this, 'Schedule', {
      description: 'Sweeps the webhook bridge',
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: this.fn.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });
  }
}
