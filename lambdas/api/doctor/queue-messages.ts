import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Lane } from '../../domain/work.ts';
import type { QueueMessages } from './deployment-checks.ts';

/** Counts the messages of the lanes and the dead letters of all, approximately as SQS does. */
export function createQueueMessages(
  client: SQSClient,
  queueUrls: Readonly<Record<Lane, string>>,
  deadLettersUrl: string,
): () => Promise<QueueMessages> {
  async function count(QueueUrl: string): Promise<number> {
    const AttributeNames = ['ApproximateNumberOfMessages' as const];
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  }

  return async () => {
    const [dead, ...waiting] = await Promise.all([deadLettersUrl, ...Object.values(queueUrls)].map(count));
    return { waiting, dead: dead ?? 0 };
  };
}
