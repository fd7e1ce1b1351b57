import { expect, test } from 'vitest';
import type { Due } from '../../../lambdas/domain/work.ts';
import { createHints } from '../../../lambdas/engine/hints.ts';
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
