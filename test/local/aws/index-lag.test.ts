import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDynamo } from '../../../local/aws/emulators.ts';
import { FrontDoor } from '../../../local/aws/front-door.ts';
import { indexLag } from '../../../local/aws/index-lag.ts';
import { RowChanges } from '../../../local/aws/row-changes.ts';
import { operator } from '../../../local/runtime/resources.ts';
import { createBridgeTable } from '../../support/bridge-table.ts';

const TableName = 'Table';
const closers: (() => unknown)[] = [];
let documents: DynamoDBDocumentClient;
let now = 0;
/** The numbers that the layer draws, in turn; the last one again and again. */
let drawn: number[] = [0.5];
const draw = () => (drawn.length > 1 ? drawn.shift()! : drawn[0]!);

beforeAll(async () => {
  const dynamo = await startDynamo();
  const direct = new DynamoDBClient({ endpoint: dynamo.url, region: 'us-east-1', credentials: operator });
  await createBridgeTable(direct, TableName);
  direct.destroy();
  const door = await FrontDoor.listen();
  const keys = {
    key: ['pk', 'sk'],
    indexes: { due: ['lane', 'dueAt'], list: ['listKey', 'listSort'] },
  };
  door.open({
    callers: new Map([[operator.accessKeyId, { name: 'test' }]]),
    upstreams: { dynamodb: dynamo.url, sqs: '', s3: '' },
    layers: [
      indexLag(
        new RowChanges(new Map([[TableName, keys]])),
        { maxMs: 2000, listMaxMs: 2000, staleReads: 0.5, doubles: 0.5 },
        draw,
        () => now,
      ),
    ],
    findSecret: () => undefined,
    onEvent: () => {},
    monitoring: {},
    log: () => {},
  });
  const client = new DynamoDBClient({ endpoint: door.url, region: 'us-east-1', credentials: operator });
  documents = DynamoDBDocumentClient.from(client);
  closers.push(
    () => client.destroy(),
    () => door.close(),
    dynamo.stop,
  );
});
afterAll(async () => {
  for (const close of closers) await close();
});

let row: { pk: string; sk: string };
let lane: string;
let test = 0;
beforeEach(() => {
  test += 1;
  row = { pk: `row-${test}`, sk: 'x' };
  lane = `lane-${test}`;
  now += 10_000;
  drawn = [0.5];
});

const put = (dueAt: number) =>
  documents.send(new PutCommand({ TableName, Item: { ...row, lane, dueAt, state: `due ${dueAt}` } }));
const move = (dueAt: number) =>
  documents.send(
    new UpdateCommand({
      TableName,
      Key: row,
      UpdateExpression: 'SET #d = :d, #s = :s',
      ExpressionAttributeNames: { '#d': 'dueAt', '#s': 'state' },
      ExpressionAttributeValues: { ':d': dueAt, ':s': `due ${dueAt}` },
    }),
  );
const query = (upTo: number, Select?: 'COUNT') =>
  documents.send(
    new QueryCommand({
      TableName,
      IndexName: 'due',
      KeyConditionExpression: '#lane = :lane AND #due <= :now',
      ExpressionAttributeNames: { '#lane': 'lane', '#due': 'dueAt' },
      ExpressionAttributeValues: { ':lane': lane, ':now': upTo },
      Select,
    }),
  );
const due = async (upTo: number): Promise<number[]> =>
  ((await query(upTo)).Items ?? []).map((item) => item.dueAt as number);
const stateOf = async (consistent: boolean) =>
  (await documents.send(new GetCommand({ TableName, Key: row, ConsistentRead: consistent }))).Item?.state;

describe('an index that lags', () => {
  it('misses a new row until the lag is over', async () => {
    await put(1);
    expect(await due(9)).toEqual([]);
    now += 2000;
    expect(await due(9)).toEqual([1]);
  });

  it('is counted as it is shown', async () => {
    await put(1);
    expect(await query(9, 'COUNT')).toMatchObject({ Count: 0 });
    now += 2000;
    expect(await query(9, 'COUNT')).toMatchObject({ Count: 1 });
    await move(100);
    drawn = [0.1];
    expect((await query(200, 'COUNT')).Count).toBe(2);
  });

  it('finds a row under its old key, although it has moved beyond the query', async () => {
    await put(1);
    now += 2000;
    await move(100);
    drawn = [0.9];
    expect(await due(9)).toEqual([1]);
    expect(await due(200)).toEqual([1]);
    now += 2000;
    expect(await due(9)).toEqual([]);
    expect(await due(200)).toEqual([100]);
  });

  it('may find a row twice while its key moves', async () => {
    await put(1);
    now += 2000;
    await move(100);
    drawn = [0.1];
    expect(await due(200)).toEqual([1, 100]);
  });

  it('finds a deleted row for a while, and a row that a refused write did not change as it is', async () => {
    await put(1);
    now += 2000;
    const refused = new DeleteCommand({
      TableName,
      Key: row,
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await expect(documents.send(refused)).rejects.toThrow();
    expect(await due(9)).toEqual([1]);
    await documents.send(new DeleteCommand({ TableName, Key: row }));
    expect(await due(9)).toEqual([1]);
    now += 2000;
    expect(await due(9)).toEqual([]);
  });

  it('shows two moves in their order', async () => {
    await put(1);
    now += 2000;
    drawn = [0.2, 0.4, 0.9];
    await move(2);
    await move(3);
    expect(await due(9)).toEqual([1]);
    now += 500;
    expect(await due(9)).toEqual([2]);
    now += 500;
    expect(await due(9)).toEqual([3]);
  });
});

describe('a read without consistency', () => {
  it('may show a row as it was, and a consistent one never does', async () => {
    await put(1);
    now += 2000;
    await move(2);
    drawn = [0.1];
    expect(await stateOf(false)).toBe('due 1');
    expect(await stateOf(true)).toBe('due 2');
    drawn = [0.9];
    expect(await stateOf(false)).toBe('due 2');
  });

  it('is as stale in batches and queries of the table', async () => {
    await put(1);
    drawn = [0.1];
    const batch = (ConsistentRead: boolean) =>
      documents.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [row], ConsistentRead } } }));
    const query = (ConsistentRead: boolean) =>
      documents.send(
        new QueryCommand({
          TableName,
          ConsistentRead,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': row.pk },
        }),
      );
    expect((await batch(false)).Responses?.[TableName]).toEqual([]);
    expect((await batch(true)).Responses?.[TableName]).toHaveLength(1);
    expect((await query(false)).Items).toEqual([]);
    expect((await query(true)).Items).toHaveLength(1);
  });
});
