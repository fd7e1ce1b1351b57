import { beforeEach, describe, expect, it } from 'vitest';
import { awsError } from '../../../local/aws/stubs.ts';
import { throttling } from '../../../local/aws/throttling.ts';
import { item, rows, through } from './emulated.ts';

let now: number;
let call: ReturnType<typeof through>;
let existing: ReturnType<typeof item>[];
let refused: boolean;
beforeEach(() => {
  now = 0;
  existing = [];
  refused = false;
  const layer = throttling(rows(), { writeUnits: 10, readUnits: 4 }, () => now);
  call = through(layer, ({ operation }) => {
    if (operation === 'BatchGetItem') return { status: 200, body: { Responses: { Table: existing } } };
    if (operation === 'Query') return { status: 200, body: { Items: [item({ pk: 'p', sk: 'x' })] } };
    if (operation === 'GetItem') return { status: 200, body: { Item: item({ pk: 'p', sk: 'x' }) } };
    return refused ? awsError(400, 'ConditionalCheckFailedException', '') : { status: 200, body: {} };
  });
});
const put = (given: Record<string, string | number>) =>
  call('dynamodb', 'PutItem', { TableName: 'Table', Item: item(given) });

describe('a partition key', () => {
  it('takes its write units in a second, and more in the next', async () => {
    for (let n = 0; n < 10; n++) expect((await put({ pk: 'a', sk: String(n) })).status).toBe(200);
    const refused = await put({ pk: 'a', sk: 'x' });
    expect(refused).toMatchObject({
      status: 400,
      body: { throttlingReasons: [{ reason: 'TableWriteKeyRangeThroughputExceeded' }] },
    });
    expect(String(refused.body.__type)).toContain('ThrottlingException');
    expect((await put({ pk: 'b', sk: 'x' })).status).toBe(200);
    now += 1000;
    expect((await put({ pk: 'a', sk: 'x' })).status).toBe(200);
  });

  it('of an index counts a row that moves twice, once where it was and once where it goes', async () => {
    for (let n = 0; n < 5; n++) {
      existing = [item({ pk: `r${n}`, sk: 'x', lane: 'poll', dueAt: 1 })];
      expect((await put({ pk: `r${n}`, sk: 'x', lane: 'poll', dueAt: 2 })).status).toBe(200);
    }
    existing = [item({ pk: 'r6', sk: 'x', lane: 'poll', dueAt: 1 })];
    expect((await put({ pk: 'r6', sk: 'x', lane: 'poll', dueAt: 2 })).body).toMatchObject({
      throttlingReasons: [{ reason: 'IndexWriteKeyRangeThroughputExceeded' }],
    });
    // A write that leaves the index as it is costs it nothing.
    expect((await put({ pk: 'r6', sk: 'x', lane: 'poll', dueAt: 1 })).status).toBe(200);
  });

  it('cancels a transaction as a whole, whose items cost double', async () => {
    const TransactItems = ['1', '2', '3', '4', '5', '6'].map((sk) => ({
      Put: { TableName: 'Table', Item: item({ pk: 'a', sk }) },
    }));
    expect((await call('dynamodb', 'TransactWriteItems', { TransactItems })).status).toBe(200);
    const refused = await call('dynamodb', 'TransactWriteItems', { TransactItems });
    expect(refused.body).toMatchObject({ CancellationReasons: [{ Code: 'ThrottlingError' }] });
  });

  it('bills a write that its condition forbids to the table, and not to the index', async () => {
    const move = () => {
      existing = [item({ pk: 'r', sk: 'x', lane: 'poll', dueAt: 1 })];
      return put({ pk: 'r', sk: 'x', lane: 'poll', dueAt: 2 });
    };
    refused = true;
    for (let n = 0; n < 10; n++) expect(String((await move()).body.__type)).toContain('ConditionalCheck');
    expect((await move()).body).toMatchObject({
      throttlingReasons: [{ reason: 'TableWriteKeyRangeThroughputExceeded' }],
    });
    refused = false;
    existing = [item({ pk: 's', sk: 'x', lane: 'poll', dueAt: 1 })];
    expect((await put({ pk: 's', sk: 'x', lane: 'poll', dueAt: 2 })).status).toBe(200);
  });

  it.each([
    ['Query', {}],
    ['GetItem', { Key: item({ pk: 'p', sk: 'x' }) }],
  ])('takes its read units in a second by %s, and none for writes beside them', async (operation, given) => {
    const read = () => call('dynamodb', operation, { TableName: 'Table', ConsistentRead: true, ...given });
    for (let n = 0; n < 4; n++) expect((await read()).status).toBe(200);
    expect((await read()).body).toMatchObject({
      throttlingReasons: [{ reason: 'TableReadKeyRangeThroughputExceeded' }],
    });
    expect((await put({ pk: 'p', sk: 'x' })).status).toBe(400);
    now += 1000;
    expect((await read()).status).toBe(200);
  });

  it('leaves out of a batch what it has no units for, and refuses one that it can read nothing of', async () => {
    const Keys = ['1', '2', '3', '4', '5', '6'].map((sk) => item({ pk: 'p', sk }));
    existing = Keys;
    const read = () =>
      call('dynamodb', 'BatchGetItem', { RequestItems: { Table: { Keys, ConsistentRead: true } } });
    expect(await read()).toMatchObject({
      status: 200,
      body: {
        Responses: { Table: Keys.slice(0, 4) },
        UnprocessedKeys: { Table: { Keys: Keys.slice(4), ConsistentRead: true } },
      },
    });
    expect(await read()).toMatchObject({ status: 400 });
    now += 1000;
    expect(await read()).toMatchObject({ status: 200 });
  });
});
