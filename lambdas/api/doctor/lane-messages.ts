import { GetQueueAttributesCommand, type QueueAttributeName, type SQSClient } from '@aws-sdk/client-sqs';
import type { Lane } from '../../domain/work.ts';
import type { LaneMessages } from './deployment-checks.ts';

type Attributes = Partial<Record<QueueAttributeName, string>>;

/** Counts the messages of each lane and of its dead letters, approximately as SQS does. */
export function createLaneMessages(client: SQSClient, queueUrls: Readonly<Record<Lane, string>>) {
  async function attributes(QueueUrl: string, ...AttributeNames: QueueAttributeName[]): Promise<Attributes> {
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return Attributes ?? {};
  }

  async function ofLane(lane: Lane): Promise<LaneMessages> {
    const url = queueUrls[lane];
    const queue = await attributes(url, 'ApproximateNumberOfMessages', 'RedrivePolicy');
    const { deadLetterTargetArn = '' } = JSON.parse(queue.RedrivePolicy ?? '{}') as Record<string, string>;
    const name = deadLetterTargetArn.slice(deadLetterTargetArn.lastIndexOf(':') + 1);
    // Both queues are of one account and region, so only the last part of their URLs differs.
    const deadLetters = await attributes(
      url.slice(0, url.lastIndexOf('/') + 1) + name,
      'ApproximateNumberOfMessages',
    );
    return { lane, waiting: count(queue), dead: count(deadLetters) };
  }

  return () => Promise.all((Object.keys(queueUrls) as Lane[]).map(ofLane));
}

const count = ({ ApproximateNumberOfMessages = '0' }: Attributes): number =>
  Number(ApproximateNumberOfMessages);
