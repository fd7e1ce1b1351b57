import { expect, it } from 'vitest';
import { queueDelivery } from '../../../local/aws/queue-delivery.ts';
import { seededRandom } from '../../../local/aws/random.ts';
import { through } from './emulated.ts';

/** A queue whose model draws from a seed; `sent` collects what reaches the emulator. */
function queue(settings: Partial<Parameters<typeof queueDelivery>[0]> = {}, seed = 1) {
  const sent: Record<string, unknown>[] = [];
  const call = through(
    queueDelivery(
      { duplicates: 0, overtaken: 0, failures: 0, countError: 0, ...settings },
      seededRandom(seed),
    ),
    ({ operation, body = {} }) => {
      if (operation === 'SendMessage') sent.push(body);
      if (operation === 'SendMessageBatch') sent.push(...(body.Entries as Record<string, unknown>[]));
      if (operation === 'ReceiveMessage')
        return { status: 200, body: { Messages: [1, 2, 3, 4, 5, 6, 7, 8] } };
      if (operation === 'GetQueueAttributes') {
        const Attributes = { ApproximateNumberOfMessages: '1000', VisibilityTimeout: '30' };
        return { status: 200, body: { Attributes } };
      }
      return { status: 200, body: {} };
    },
  );
  const send = (message: object) => call('sqs', 'SendMessage', { MessageBody: 'x', ...message });
  return { call, send, sent };
}

it.each([
  ['a delay above 900 seconds', { DelaySeconds: 901 }, 'DelaySeconds'],
  ['a delay below 0', { DelaySeconds: -1 }, 'DelaySeconds'],
  ['a group name of more than 128 characters', { MessageGroupId: 'g'.repeat(129) }, 'MessageGroupId'],
  ['an empty group name', { MessageGroupId: '' }, 'MessageGroupId'],
  ['a message of more than 1 MiB', { MessageBody: 'é'.repeat(524_289) }, 'shorter'],
])('SQS refuses %s, alone and in a batch', async (_, message, reason) => {
  const { call, send, sent } = queue();
  for (const answer of [
    await send(message),
    await call('sqs', 'SendMessageBatch', { Entries: [{ MessageBody: 'x', ...message }] }),
  ]) {
    expect(answer.status).toBe(400);
    expect(answer.body.message).toMatch(reason === 'shorter' ? /shorter|larger/ : reason);
  }
  expect(sent).toEqual([]);
});

it('SQS takes what is just in bounds', async () => {
  const { send, sent } = queue();
  await send({ DelaySeconds: 900, MessageGroupId: 'g'.repeat(128) });
  expect(sent).toHaveLength(1);
});

it('SQS delivers a share of the messages twice', async () => {
  const { send, sent } = queue({ duplicates: 0.1 });
  for (let n = 0; n < 1000; n++) await send({ MessageBody: String(n) });
  expect(new Set(sent.map(({ MessageBody }) => MessageBody)).size).toBe(1000);
  expect(sent.length).toBeGreaterThan(1050);
  expect(sent.length).toBeLessThan(1150);
});

it('SQS leaves a share of the messages out of a batch that it takes, and names them', async () => {
  const { call, sent } = queue({ failures: 0.3 });
  const named: unknown[] = [];
  for (let batch = 0; batch < 50; batch++) {
    const Entries = ['a', 'b', 'c'].map((Id) => ({ Id, MessageBody: `${batch}${Id}` }));
    const { status, body } = await call('sqs', 'SendMessageBatch', { Entries });
    expect(status).toBe(200);
    const failed = ((body.Failed ?? []) as { Id: string }[]).map(({ Id }) => `${batch}${Id}`);
    named.push(...failed);
  }
  expect(named.length).toBeGreaterThan(25);
  expect(named.length).toBeLessThan(65);
  const taken = sent.map(({ MessageBody }) => MessageBody);
  expect(taken.length + named.length).toBe(150);
  expect(taken.filter((each) => named.includes(each))).toEqual([]);
});

it('SQS lets others overtake a share of the messages, and hands out the rest in no order', async () => {
  const { call, send, sent } = queue({ overtaken: 0.1 });
  for (let n = 0; n < 1000; n++) await send({ MessageBody: String(n) });
  const late = sent.filter(({ DelaySeconds }) => DelaySeconds === 1).length;
  expect(late).toBeGreaterThan(50);
  expect(late).toBeLessThan(150);
  const { Messages } = (await call('sqs', 'ReceiveMessage', {})).body as { Messages: number[] };
  expect(Messages).not.toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(Messages.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

it('SQS counts messages approximately, and tells other attributes as they are', async () => {
  const { call } = queue({ countError: 0.1 });
  const counts = new Set<string>();
  for (let n = 0; n < 20; n++) {
    const { Attributes } = (await call('sqs', 'GetQueueAttributes', {})).body as {
      Attributes: Record<string, string>;
    };
    counts.add(Attributes.ApproximateNumberOfMessages!);
    expect(Attributes.VisibilityTimeout).toBe('30');
  }
  expect(counts.size).toBeGreaterThan(5);
  for (const count of counts) expect(Math.abs(Number(count) - 1000)).toBeLessThanOrEqual(100);
});
