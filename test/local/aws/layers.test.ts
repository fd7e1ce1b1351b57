import { expect, it } from 'vitest';
import { type AwsBehavior, ideal, usualBehavior } from '../../../local/aws/behavior.ts';
import type { AwsCall, JsonAnswer, Layer, Next } from '../../../local/aws/front-door.ts';
import { awsLayers } from '../../../local/aws/layers.ts';
import { seededRandom } from '../../../local/aws/random.ts';
import { Template } from '../../../local/runtime/template.ts';
import { item, through } from './emulated.ts';

const key = (AttributeName: string, KeyType: string) => ({ AttributeName, KeyType });
const template = new Template(
  {
    name: 'Stack',
    document: {
      Resources: {
        Table: {
          Type: 'AWS::DynamoDB::GlobalTable',
          Properties: {
            KeySchema: [key('pk', 'HASH'), key('sk', 'RANGE')],
            GlobalSecondaryIndexes: [
              { IndexName: 'due', KeySchema: [key('lane', 'HASH'), key('dueAt', 'RANGE')] },
              { IndexName: 'list', KeySchema: [key('listKey', 'HASH'), key('listAt', 'RANGE')] },
            ],
          },
        },
      },
    },
    assetDirectory: () => '',
  },
  { frontDoorUrl: 'http://127.0.0.1:1000', apiUrl: 'http://127.0.0.1:2000' },
  {},
);

const ROW = item({ pk: 'a', sk: 'b', lane: 'poll', dueAt: 1, listKey: 'all', listAt: 'x' });
const FOUND: Record<string, JsonAnswer['body']> = {
  GetItem: { Item: ROW },
  Query: { Items: [ROW], Count: 1 },
  GetQueueAttributes: { Attributes: { ApproximateNumberOfMessages: '1000' } },
};

/** All layers before emulators that find one row; `sent` collects the messages that reach the queue. */
function layered(behavior: Partial<AwsBehavior>) {
  const layers = awsLayers(template, { ...usualBehavior(), ...ideal, ...behavior }, seededRandom(1));
  const all: Layer = (given, last) =>
    layers.reduceRight<Next>((next, layer) => (call) => layer(call, next), last)(given);
  const sent: Record<string, unknown>[] = [];
  const call = through(all, ({ operation, body = {} }: AwsCall) => {
    if (operation === 'SendMessage') sent.push(body);
    return { status: 200, body: FOUND[operation] ?? {} };
  });
  const query = (index: string, partition: string, value: string) =>
    call('dynamodb', 'Query', {
      TableName: 'Table',
      IndexName: index,
      KeyConditionExpression: '#pk = :pk',
      ExpressionAttributeNames: { '#pk': partition },
      ExpressionAttributeValues: item({ ':pk': value }),
    });
  return {
    put: () => call('dynamodb', 'PutItem', { TableName: 'Table', Item: ROW }),
    get: () => call('dynamodb', 'GetItem', { TableName: 'Table', Key: item({ pk: 'a', sk: 'b' }) }),
    due: () => query('due', 'lane', 'poll'),
    list: () => query('list', 'listKey', 'all'),
    count: () => call('sqs', 'GetQueueAttributes', {}),
    batch: () => call('sqs', 'SendMessageBatch', { Entries: [{ Id: '1', MessageBody: 'x' }] }),
    async send() {
      await call('sqs', 'SendMessage', { MessageBody: 'x' });
      return sent;
    },
  };
}
type Aws = ReturnType<typeof layered>;

const putTwice = async ({ put }: Aws) => [(await put()).status, (await put()).status];
const itemsAfterPut = (find: 'due' | 'list') => async (aws: Aws) => {
  await aws.put();
  return (await aws[find]()).body.Items;
};

it.each<[string, Partial<AwsBehavior>, (aws: Aws) => Promise<unknown>, without: unknown, with_: unknown]>([
  ['write units', { partitionWriteUnits: 1 }, putTwice, [200, 200], [200, 400]],
  [
    'read units',
    { partitionReadUnits: 0.5 },
    async ({ get }) => [(await get()).status, (await get()).status],
    [200, 200],
    [200, 400],
  ],
  ['conflicts', { transactionConflicts: 1 }, async ({ put }) => (await put()).status, 200, 400],
  ['the lag of the index of due rows', { lagMs: 1e9 }, itemsAfterPut('due'), [ROW], []],
  ['the lag of the index of lists', { lagMs: 1e9, listLagMs: 1e9 }, itemsAfterPut('list'), [ROW], []],
  [
    'stale reads',
    { lagMs: 1e9, staleReads: 1 },
    async (aws) => {
      await aws.put();
      return (await aws.get()).body.Item;
    },
    ROW,
    undefined,
  ],
  ['doubled messages', { duplicateMessages: 1 }, async ({ send }) => (await send()).length, 1, 2],
  [
    'overtaken messages',
    { overtakenMessages: 1 },
    async ({ send }) => (await send())[0]?.DelaySeconds,
    undefined,
    1,
  ],
  [
    'failed messages',
    { failedMessages: 1 },
    async ({ batch }) => (await batch()).body.Failed,
    undefined,
    [expect.objectContaining({ Id: '1' })],
  ],
  [
    'the error of counts',
    { messageCountError: 0.1 },
    async ({ count }) => (await count()).body.Attributes,
    FOUND.GetQueueAttributes!.Attributes,
    expect.not.objectContaining({ ApproximateNumberOfMessages: '1000' }),
  ],
])('calls meet %s as far as the behavior says', async (_, behavior, act, without, met) => {
  expect(await act(layered({}))).toEqual(without);
  expect(await act(layered(behavior))).toEqual(met);
});
