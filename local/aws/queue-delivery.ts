import type { JsonAnswer, Layer } from './front-door.ts';
import { type Random, shuffled } from './random.ts';
import { awsError } from './stubs.ts';

type QueueDeliverySettings = {
  /** Share of messages that are delivered twice. */
  duplicates: number;
  /** Share of messages without a delay that others overtake: they arrive a second later. */
  overtaken: number;
  /** Share of the messages of a batch that SQS does not take, though it takes the batch. */
  failures: number;
  /** By how much, at most, the approximate number of messages is off: 0.1 for ten in a hundred. */
  countError: number;
};

const MAX_DELAY_SECONDS = 900;
const MAX_GROUP_CHARACTERS = 128;
const MAX_BATCH_ENTRIES = 10;
/** Of one message, and of all messages of a batch. */
const MAX_BYTES = 1024 * 1024;

type Message = {
  /** In a batch. */
  Id?: string;
  MessageBody?: string;
  DelaySeconds?: number;
  MessageGroupId?: string;
};

/**
 * Standard queues as SQS has them: it refuses what is out of bounds, and delivers at least once and in no order; its
 * numbers of messages are approximate.
 */
export function queueDelivery(
  { duplicates, overtaken, failures, countError }: QueueDeliverySettings,
  random: Random,
): Layer {
  const late = <M extends Message>(message: M): M =>
    !message.DelaySeconds && random() < overtaken ? { ...message, DelaySeconds: 1 } : message;

  return async (call, next) => {
    const { service, operation, body = {} } = call;
    if (service !== 'sqs') return next(call);
    if (operation === 'SendMessage') {
      const wrong = refusal(body as Message);
      if (wrong) return wrong;
      const sent = { ...call, body: late(body as Message) as Record<string, unknown> };
      if (random() < duplicates) await next(sent);
      return next(sent);
    }
    if (operation === 'SendMessageBatch') {
      const entries = (body.Entries ?? []) as Message[];
      if (entries.length > MAX_BATCH_ENTRIES) {
        return refuse('TooManyEntriesInBatchRequest', `A batch takes ${MAX_BATCH_ENTRIES} entries.`);
      }
      if (entries.reduce((sum, entry) => sum + bytesOf(entry), 0) > MAX_BYTES) {
        return refuse('BatchRequestTooLong', `The messages of a batch are larger than ${MAX_BYTES} bytes.`);
      }
      const wrong = entries.map(refusal).find(Boolean);
      if (wrong) return wrong;
      const failed = new Set(entries.filter(() => failures > 0 && random() < failures));
      const sent = entries.filter((entry) => !failed.has(entry)).map(late);
      const again = sent.filter(() => random() < duplicates);
      if (again.length > 0) await next({ ...call, body: { ...body, Entries: again } });
      const answer: JsonAnswer =
        sent.length > 0 || failed.size === 0
          ? await next({ ...call, body: { ...body, Entries: sent } })
          : { status: 200, body: { Successful: [] } };
      return failed.size === 0
        ? answer
        : { ...answer, body: { ...answer.body, Failed: [...failed].map(failure) } };
    }
    if (operation === 'ReceiveMessage') {
      const answer = await next(call);
      const { Messages } = answer.body as { Messages?: unknown[] };
      return Messages
        ? { ...answer, body: { ...answer.body, Messages: shuffled(Messages, random) } }
        : answer;
    }
    if (operation === 'GetQueueAttributes') {
      const answer = await next(call);
      const { Attributes } = answer.body as { Attributes?: Record<string, string> };
      if (!Attributes) return answer;
      const approximate = Object.entries(Attributes).map(([name, value]) =>
        name.startsWith('ApproximateNumberOfMessages')
          ? [name, String(Math.round(Number(value) * (1 + countError * (2 * random() - 1))))]
          : [name, value],
      );
      return { ...answer, body: { ...answer.body, Attributes: Object.fromEntries(approximate) } };
    }
    return next(call);
  };
}

function refusal(message: Message): JsonAnswer | undefined {
  const { DelaySeconds: delay = 0, MessageGroupId: group } = message;
  if (!Number.isInteger(delay) || delay < 0 || delay > MAX_DELAY_SECONDS) {
    return refuse(
      'InvalidParameterValue',
      `Value ${delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${MAX_DELAY_SECONDS}.`,
    );
  }
  if (group !== undefined && !(group.length <= MAX_GROUP_CHARACTERS && /^[\x21-\x7e]+$/.test(group))) {
    return refuse(
      'InvalidParameterValue',
      `Value for parameter MessageGroupId is invalid. Reason: it must be 1 to ${MAX_GROUP_CHARACTERS} printable ASCII characters without blanks.`,
    );
  }
  if (bytesOf(message) > MAX_BYTES) {
    return refuse(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${MAX_BYTES} bytes.`,
    );
  }
  return undefined;
}

const failure = ({ Id }: Message) => ({
  Id,
  Code: 'InternalError',
  SenderFault: false,
  Message: 'We encountered an internal error. Please try again.',
});

const bytesOf = ({ MessageBody = '' }: Message): number => Buffer.byteLength(MessageBody);

function refuse(code: string, message: string): JsonAnswer {
  return awsError(400, code, message);
}
