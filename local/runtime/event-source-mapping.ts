import { setTimeout as pause } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { region } from './resource-types.ts';

export interface MappingSettings {
  queueName: string;
  queueUrl: string;
  queueArn: string;
  batchSize: number;
  /** Batches in work at a time. */
  maxConcurrency: number;
  /** Whether the function names the messages that failed; otherwise a batch succeeds or fails as a whole. */
  reportsItemFailures: boolean;
}

/** What becomes of a message that was received: tests lose or double some. */
export type MessageFault = (queueName: string, body: string) => 'lose' | 'double' | undefined;

/** Polls a queue and invokes a function with batches, as Lambda does for an event source mapping. */
export class EventSourceMapping {
  private readonly settings: MappingSettings;
  private readonly sqs: SQSClient;
  private readonly invoke: (event: unknown) => Promise<unknown>;
  private readonly log: (line: string) => void;
  private readonly fault: MessageFault;
  private readonly stopping = new AbortController();

  constructor(
    settings: MappingSettings,
    sqs: SQSClient,
    invoke: (event: unknown) => Promise<unknown>,
    log: (line: string) => void,
    fault: MessageFault = () => undefined,
  ) {
    this.settings = settings;
    this.sqs = sqs;
    this.invoke = invoke;
    this.log = log;
    this.fault = fault;
    for (let poller = 0; poller < settings.maxConcurrency; poller++) void this.poll();
  }

  /** Stops polling. Batches in work run on; messages that are then left over show up again. */
  stop(): void {
    this.stopping.abort();
  }

  private async poll(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const messages = await this.receive();
        if (messages.length > 0) await this.work(messages);
      } catch (error) {
        if (signal.aborted) return;
        this.log(`${this.settings.queueName} cannot be polled: ${(error as Error).message}`);
        await pause(1000, undefined, { signal }).catch(() => {});
      }
    }
  }

  private async receive(): Promise<Message[]> {
    const { Messages = [] } = await this.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.settings.queueUrl,
        MaxNumberOfMessages: this.settings.batchSize,
        WaitTimeSeconds: 20,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: this.stopping.signal },
    );
    return Messages;
  }

  private async work(received: Message[]): Promise<void> {
    const { queueName, queueArn } = this.settings;
    const faults = new Map(received.map((message) => [message, this.fault(queueName, message.Body ?? '')]));
    const records = received
      .filter((message) => faults.get(message) !== 'lose')
      .map((message) => recordOf(message, queueArn));
    try {
      const result = records.length > 0 ? await this.invoke({ Records: records }) : undefined;
      const failed = this.failedIds(result);
      await this.delete(received.filter(({ MessageId = '' }) => !failed.has(MessageId)));
      if (received.some((message) => faults.get(message) === 'double'))
        await this.invoke({ Records: records });
    } catch (error) {
      // The whole batch shows up again after the visibility time-out.
      if (!this.stopping.signal.aborted) this.log((error as Error).message);
    }
  }

  /** Throws for an answer that is no partial batch response: Lambda then takes the whole batch as failed. */
  private failedIds(result: unknown): Set<string> {
    if (!this.settings.reportsItemFailures || result === null || result === undefined) return new Set();
    const { batchItemFailures } = result as { batchItemFailures?: { itemIdentifier?: string }[] | null };
    const ids = (batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
    if (!ids.every((id) => typeof id === 'string' && id.length > 0)) {
      throw new Error(`The batch response of the worker of ${this.settings.queueName} names no message id.`);
    }
    return new Set(ids as string[]);
  }

  private async delete(messages: Message[]): Promise<void> {
    if (messages.length === 0) return;
    await this.sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: this.settings.queueUrl,
        Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
      }),
    );
  }
}

/** A message as a function gets it. */
function recordOf(message: Message, eventSourceARN: string) {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(
        ([name, { StringValue, BinaryValue, DataType }]) => [
          name,
          {
            stringValue: StringValue,
            binaryValue: BinaryValue && Buffer.from(BinaryValue).toString('base64'),
            dataType: DataType,
          },
        ],
      ),
    ),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion: region,
  };
}
