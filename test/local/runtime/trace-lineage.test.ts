import { expect, it } from 'vitest';
import { tracedMessages } from '../../../local/aws/traced-messages.ts';
import { passesOf, traceHeader, withTraceHeader } from '../../../local/runtime/trace-lineage.ts';
import { through } from '../aws/emulated.ts';

const [poll, copy] = [
  'arn:aws:lambda:us-east-1:000000000000:function:poll',
  'arn:aws:lambda:us-east-1:000000000000:function:copy',
];

it('an invocation counts one more pass of its function, and keeps those of others and the root', () => {
  const first = traceHeader(poll, []);
  const second = traceHeader(copy, [first]);
  const third = traceHeader(poll, [second]);
  expect(first).toMatch(
    /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=[0-9a-f]{8}:1$/,
  );
  expect([poll, copy].map((arn) => passesOf(arn, [third]))).toEqual([2, 1]);
  expect(third.slice(0, 40)).toBe(first.slice(0, 40));
});

it('a batch counts from the message that has come the longest way', () => {
  let far = traceHeader(poll, []);
  for (let n = 0; n < 5; n++) far = traceHeader(poll, [far]);
  expect(passesOf(poll, [traceHeader(poll, []), far, undefined])).toBe(6);
});

it('messages carry the header of the call that sent them, and nothing else changes', async () => {
  const bodies: Record<string, unknown>[] = [];
  const call = through(tracedMessages, ({ body = {} }) => {
    bodies.push(body);
    return { status: 200, body: {} };
  });
  const header = traceHeader(poll, []);
  await call('sqs', 'SendMessage', { MessageBody: 'one' }, header);
  await call('sqs', 'SendMessageBatch', { Entries: [{ Id: '1', MessageBody: 'two' }] }, header);
  await call('sqs', 'SendMessage', { MessageBody: 'by a person' });
  const messages = [bodies[0]!, ...(bodies[1]!.Entries as object[]), bodies[2]!].map((sent) =>
    withTraceHeader(sent),
  );
  expect(messages).toEqual([
    { MessageBody: 'one', MessageAttributes: {}, Attributes: { AWSTraceHeader: header } },
    { Id: '1', MessageBody: 'two', MessageAttributes: {}, Attributes: { AWSTraceHeader: header } },
    { MessageBody: 'by a person' },
  ]);
});
