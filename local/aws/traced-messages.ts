import { CARRIER, type MessageAttributes } from '../runtime/trace-lineage.ts';
import type { Layer } from './front-door.ts';

/** Puts the trace header of a call that sends messages on the messages, as SQS does. */
export const tracedMessages: Layer = (call, next) => {
  const { service, operation, trace, body = {} } = call;
  if (service !== 'sqs' || !trace) return next(call);
  const traced = <M extends MessageAttributes>(message: M): M => ({
    ...message,
    MessageAttributes: {
      ...message.MessageAttributes,
      [CARRIER]: { DataType: 'String', StringValue: trace },
    },
  });
  if (operation === 'SendMessage') return next({ ...call, body: traced(body) });
  if (operation === 'SendMessageBatch') {
    const Entries = ((body.Entries ?? []) as MessageAttributes[]).map(traced);
    return next({ ...call, body: { ...body, Entries } });
  }
  return next(call);
};
