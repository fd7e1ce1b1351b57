import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type Lane, queueUrlVariable } from '../lambdas/domain/work.ts';
import { acknowledge } from './acknowledge.ts';
import type { BridgeFunction } from './bridge-function.ts';
import type { DeadLetters } from './dead-letters.ts';

export type LaneQueueProps = {
  readonly lane: Lane;
  /** The function whose work the lane holds. */
  readonly worker: BridgeFunction;
  /** Where messages go that fail ten times. */
  readonly deadLetters: DeadLetters;
  /** Messages per invocation. */
  readonly batchSize: number;
  /** Invocations at a time, from 2 to 1,000. */
  readonly maxConcurrency: number;
};

/** The queue of one lane: hints go in, the lane's worker is woken, and messages that fail ten times leave it. */
export class LaneQueue extends Construct {
  readonly lane: Lane;
  readonly queue: Queue;

  constructor(scope: Construct, id: string, props: LaneQueueProps) {
    super(scope, id);
    const { lane, worker, deadLetters, batchSize, maxConcurrency } = props;
    this.lane = lane;
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // As AWS advises: a throttled invocation is tried again before the message shows up twice.
      visibilityTimeout: Duration.seconds(6 * (worker.timeout as Duration).toSeconds()),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: 10 },
    });
    this.allow(worker, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']);
    const mapping = new EventSourceMapping(this, 'Mapping', {
      target: worker,
      eventSourceArn: this.queue.queueArn,
      batchSize,
      maxBatchingWindow: Duration.seconds(0),
      maxConcurrency,
      reportBatchItemFailures: true,
    });
    acknowledge(
      mapping,
      'Serverless-LambdaEventSourceMappingDestination',
      'The rule is for streams; an SQS queue itself moves what keeps failing to its dead letters.',
    );
  }

  /** Lets the function send hints to the lane, and names the queue to it. */
  grantHints(fn: BridgeFunction): void {
    this.allow(fn, ['sqs:SendMessage']);
    this.name(fn);
  }

  /** Lets the function also see how many messages wait, so that it hints only what the lane lacks. */
  grantSweep(fn: BridgeFunction): void {
    this.allow(fn, ['sqs:SendMessage', 'sqs:GetQueueAttributes']);
    this.name(fn);
  }

  /** Lets the function see how many messages wait. */
  grantCount(fn: BridgeFunction): void {
    this.allow(fn, ['sqs:GetQueueAttributes']);
  }

  private allow(fn: BridgeFunction, actions: string[]): void {
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.queue.queueArn] }));
  }

  private name(fn: BridgeFunction): void {
    fn.addEnvironment(queueUrlVariable(this.lane), this.queue.queueUrl);
  }
}
