import { setTimeout as pause } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { FunctionError } from './functions.ts';
import { REGION } from './resource-types.ts';
import { withTraceHeader } from './trace-lineage.ts';

/** So many receive calls wait for messages at a time, however many batches may be in work. */
const MAX_RECEIVERS = 4;
/** Between two tries of a batch that was throttled; each pause is twice as long as the one before. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

export type MappingSettings = {
  queueName: string;
  queueUrl: string;
  queueArn: string;
  /** The visibility time-out of the queue: a batch that Lambda throttles is tried again for that long. */
  visibilityMs: number;
  batchSize: number;
  /** Batches in work at a time. */
  maxConcurrency: number;
  /** Whether the function names the messages that failed; otherwise a batch succeeds or fails as a whole. */
  reportsItemFailures: boolean;
};

/** Runs the function with an event; `traces` are the trace headers of its messages. */
type Invoke = (event: unknown, traces: (string | undefined)[]) => Promise<unknown>;

/** Whether a received message is lost or doubled: tests name some. */
export type MessageFault = (queueName: string, body: string) => 'lose' | 'double' | undefined;

/** Polls a queue and invokes a function with batches, as Lambda does for an event source mapping. */
export class EventSourceMapping {
  private readonly settings: MappingSettings;
  private readonly sqs: SQSClient;
  private readonly invoke: Invoke;
  private readonly log: (line: string) => void;
  private readonly fault: MessageFault;
  private readonly stopping = new AbortController();
  private readonly waiting: (() => void)[] = [];
  private working = 0;

  constructor(
    settings: MappingSettings,
    sqs: SQSClient,
    invoke: Invoke,
    log: (line: string) => void,
    fault: MessageFault = () => undefined,
  ) {
    this.settings = settings;
    this.sqs = sqs;
    this.invoke = invoke;
    this.log = log;
    this.fault = fault;
    const receivers = Math.min(MAX_RECEIVERS, settings.maxConcurrency);
    for (let receiver = 0; receiver < receivers; receiver++) void this.poll();
  }

  /** Stops polling. Batches in work run on; messages that are then left over show up again. */
  stop(): void {
    this.stopping.abort();
  }

  private async poll(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.enter();
      try {
        const messages = signal.aborted ? [] : await this.receive();
        if (messages.length > 0) void this.work(messages).finally(() => this.leave());
        else this.leave();
      } catch (error) {
        this.leave();
        if (signal.aborted) return;
        this.log(`${this.settings.queueName} cannot be polled: ${(error as Error).message}`);
        await pause(1000, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Waits until one more batch may be in work. */
  private async enter(): Promise<void> {
    if (this.working < this.settings.maxConcurrency) this.working++;
    else await new Promise<void>((resume) => this.waiting.push(resume));
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.working--;
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
    return Messages.map(withTraceHeader);
  }

  private async work(received: Message[]): Promise<void> {
    const { queueName, queueArn } = this.settings;
    const faults = new Map(received.map((message) => [message, this.fault(queueName, message.Body ?? '')]));
    const records = received
      .filter((message) => faults.get(message) !== 'lose')
      .map((message) => recordOf(message, queueArn));
    const traces = records.map(({ attributes }) => attributes.AWSTraceHeader);
    try {
      const result =
        records.length > 0 ? await this.whenNotThrottled({ Records: records }, traces) : undefined;
      const failed = this.failedIds(result);
      await this.delete(received.filter(({ MessageId = '' }) => !failed.has(MessageId)));
      if (received.some((message) => faults.get(message) === 'double'))
        await this.invoke({ Records: records }, traces);
    } catch (error) {
      // The whole batch shows up again after the visibility time-out.
      if (!this.stopping.signal.aborted) this.log((error as Error).message);
    }
  }

  /** Invokes again while the account has no free place, as Lambda does until the messages show up again. */
  private async whenNotThrottled(event: unknown, traces: (string | undefined)[]): Promise<unknown> {
    const { signal } = this.stopping;
    const end = Date.now() + this.settings.visibilityMs;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      try {
        return await this.invoke(event, traces);
      } catch (error) {
        const throttled = error instanceof FunctionError && error.kind === 'throttled';
        if (!throttled || signal.aborted || Date.now() + waitMs > end) throw error;
        this.log(error.message);
        await pause(waitMs, undefined, { signal });
      }
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
    attributes: (message.Attributes ?? {}) as Record<string, string>,
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
    awsRegion: REGION,
  };
}
