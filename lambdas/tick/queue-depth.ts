import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Lane } from '../domain/work.ts';

/** How many messages of a lane wait to be taken: neither delayed nor in flight. SQS gives an approximate number. */
export function createQueueDepth(
  client: SQSClient,
  queueUrls: Record<Lane, string>,
): (lane: Lane) => Promise<number> {
  return async (lane) => {
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrls[lane],
        AttributeNames: ['ApproximateNumberOfMessages'],
      }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  };
}
