import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { BridgeFunction } from './bridge-function.ts';

/**
 * Messages of any lane that failed ten times. One queue is enough: the body of each message names its lane, and SQS
 * notes the queue that it came from.
 */
export class DeadLetters extends Queue {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acknowledge(this, 'Serverless-SQSRedrivePolicy', 'It is the dead-letter queue itself.');
  }

  /** Lets the function see how many there are, and names the queue to it. */
  grantCount(fn: BridgeFunction): void {
    const actions = ['sqs:GetQueueAttributes'];
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.queueArn] }));
    fn.addEnvironment('DEAD_LETTERS_URL', this.queueUrl);
  }
}
