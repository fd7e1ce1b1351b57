import type { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import type { Due, Lane } from '../../../lambdas/domain/work.ts';
import { encodeHints } from '../../../lambdas/engine/hint-message.ts';
import { createHints, listOf } from '../../../lambdas/engine/hints.ts';
import { useQueues } from '../../support/queue.ts';

const newQueue = useQueues();

test('rows that are due are hinted each in its own lane, and what is undefined is left out', async () => {
  const [poll, copy] = [await newQueue(), await newQueue()];
  const now = 1_000_000;
  const hints = createHints({
    client: poll.client,
    queueUrls: { poll: poll.url, copy: copy.url },
    now: () => now,
    onLost: (_lane, _count, error) => {
      throw error;
    },
  });
  const row = (lane: Due['lane'], sk: string): Due => ({ pk: 'P', sk, lane, dueAt: now });
  await hints.send([row('poll', 'a'), undefined, row('copy', 'b'), row('poll', 'c')]);
  await hints.send(undefined);
  await hints.send(row('copy', 'd'));
  const named = async (queue: typeof poll) => (await queue.drain()).flat().map(({ sk }) => sk);
  expect((await named(poll)).sort()).toEqual(['a', 'c']);
  expect((await named(copy)).sort()).toEqual(['b', 'd']);
});

test('hints that SQS refuses in a batch that it takes otherwise are lost, and nothing is thrown', async () => {
  const { client, url } = await newQueue();
  const Failed = [{ Id: '1', Code: 'InternalError', SenderFault: false }];
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      return { ...result, output: { ...result.output, Failed } };
    },
    { step: 'initialize', name: 'inPart' },
  );
  const lost: [string, number][] = [];
  const hints = createHints({
    client,
    queueUrls: { poll: url },
    now: () => 0,
    onLost: (lane, count) => lost.push([lane, count]),
  });
  await hints.send(['a', 'b', 'c'].map((sk) => ({ pk: 'P', sk, lane: 'poll', dueAt: 0 })));
  client.middlewareStack.remove('inPart');
  expect(lost).toEqual([['poll', 1]]);
});

describe('what is sent to SQS', () => {
  const NOW = 1_000_000;
  type Sent = SendMessageBatchCommand['input'];

  /** Hints whose calls are kept; a call that is answered by an error throws it. */
  function recorded(answer: () => unknown = () => ({})) {
    const sent: Sent[] = [];
    const lost: [Lane, number, string][] = [];
    const client = {
      send: async (command: SendMessageBatchCommand) => {
        sent.push(command.input);
        return answer();
      },
    } as unknown as SQSClient;
    const hints = createHints({
      client,
      queueUrls: { poll: 'url of poll', deliver: 'url of deliver' },
      now: () => NOW,
      onLost: (lane, count, error) => lost.push([lane, count, (error as Error).message]),
    });
    return { sent, lost, hints };
  }
  const due = (lane: Lane, sk: string, dueAt = NOW): Due => ({ pk: 'DEL#ep', sk, lane, dueAt });
  const body = (lane: Lane, ...rows: Due[]) => encodeHints(lane, rows);

  test('a message names its row, is delayed until it is due, and has its endpoint as a group', async () => {
    const { sent, hints } = recorded();
    const rows = [due('deliver', 'a', NOW + 1_500), due('poll', 'b', NOW - 1)] as const;
    await hints.send(rows);
    expect(sent).toEqual([
      {
        QueueUrl: 'url of deliver',
        Entries: [
          { Id: '0', MessageBody: body('deliver', rows[0]), DelaySeconds: 2, MessageGroupId: 'DEL#ep' },
        ],
      },
      {
        QueueUrl: 'url of poll',
        Entries: [
          { Id: '0', MessageBody: body('poll', rows[1]), DelaySeconds: 0, MessageGroupId: undefined },
        ],
      },
    ]);
  });

  test('a message of several rows waits for the last of them, and what SQS cannot delay is left to the sweep', async () => {
    const { sent, hints } = recorded();
    const [early, late] = [due('deliver', 'a', NOW + 1_000), due('deliver', 'b', NOW + 5_000)];
    const far = due('deliver', 'c', NOW + 900_001);
    await hints.sendPacked('deliver', [{ hints: [early, late] }, { hints: [far] }, { hints: [early, far] }]);
    expect(sent.flatMap(({ Entries = [] }) => Entries)).toMatchObject([
      { MessageBody: body('deliver', early, late), DelaySeconds: 5 },
    ]);
  });

  test('ten messages go in one call, numbered in it', async () => {
    const { sent, hints } = recorded();
    await hints.send(Array.from({ length: 21 }, (_, n) => due('poll', `${n}`)));
    const ids = sent.map(({ Entries = [] }) => Entries.map(({ Id }) => Id));
    expect(ids.map((each) => each.length)).toEqual([10, 10, 1]);
    for (const each of ids) expect(each).toEqual(each.map((_, n) => String(n)));
    const named = sent.flatMap(({ Entries = [] }) => Entries.map(({ MessageBody }) => MessageBody));
    expect(named).toEqual(Array.from({ length: 21 }, (_, n) => body('poll', due('poll', `${n}`))));
  });

  test('nothing that is due makes no call', async () => {
    const { sent, hints } = recorded();
    await hints.send(undefined);
    await hints.send([undefined]);
    expect([sent, listOf([undefined, undefined])]).toEqual([[], []]);
  });

  test('what SQS does not take is reported as lost, with the reason, and nothing is thrown', async () => {
    const rows = [due('poll', 'a'), due('poll', 'b')];
    const throttled = recorded(() => {
      throw new Error('throttled');
    });
    await throttled.hints.send(rows);
    expect(throttled.lost).toEqual([['poll', 2, 'throttled']]);
    const refusing = recorded(() => ({ Failed: [{ Id: '0', Message: 'too large' }] }));
    await refusing.hints.send(rows);
    expect(refusing.lost).toEqual([['poll', 1, 'too large']]);
    const silent = recorded(() => ({ Failed: [{ Id: '0' }] }));
    await silent.hints.send(rows);
    expect(silent.lost).toEqual([['poll', 1, 'refused by SQS']]);
    const elsewhere = recorded();
    await elsewhere.hints.send({ ...due('copy', 'a') });
    expect(elsewhere.lost).toEqual([
      ['copy', 1, 'this stage has no queue for lane "copy": set its URL in the environment'],
    ]);
  });
});
