import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll } from 'vitest';
import type { Hint } from '../../lambdas/domain/work.ts';
import { decodeHints } from '../../lambdas/engine/hint-message.ts';
import { startSqs } from '../../local/aws/emulators.ts';

/** SQS for a test file. */
export function useQueues() {
  let sqs: Awaited<ReturnType<typeof startSqs>> | undefined;
  let client: SQSClient | undefined;
  beforeAll(async () => {
    sqs = await startSqs();
    client = new SQSClient({
      endpoint: sqs.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  });
  afterAll(async () => {
    client?.destroy();
    await sqs?.stop();
  });

  /** A new, empty queue and what tests ask of it. */
  return async function newQueue() {
    if (!client) throw new Error('the queues are there only while tests run: call this inside one');
    const sqsClient = client;
    const { QueueUrl = '' } = await sqsClient.send(new CreateQueueCommand({ QueueName: randomUUID() }));

    const attribute = async (name: 'ApproximateNumberOfMessages' | 'ApproximateNumberOfMessagesDelayed') => {
      const { Attributes } = await sqsClient.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [name] }),
      );
      return Number(Attributes?.[name]);
    };
    return {
      client: sqsClient,
      url: QueueUrl,
      visible: () => attribute('ApproximateNumberOfMessages'),
      delayed: () => attribute('ApproximateNumberOfMessagesDelayed'),
      purge: () => sqsClient.send(new PurgeQueueCommand({ QueueUrl })),
      /** Takes all visible messages, and returns the hints of each. */
      drain: async (): Promise<Hint[][]> => {
        const taken: Hint[][] = [];
        for (;;) {
          const { Messages = [] } = await sqsClient.send(
            new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
          );
          if (Messages.length === 0) return taken;
          taken.push(...Messages.map(({ Body = '' }) => decodeHints(Body)?.hints ?? []));
        }
      },
    };
  };
}
