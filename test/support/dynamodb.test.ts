import { expect, test } from 'vitest';
import { useDatabase } from './dynamodb.ts';
import { settle } from './lagging-reads.ts';

const database = useDatabase();

test('the test database has both indexes of the table', async () => {
  const { table } = database();
  await table.write({ put: { pk: 'A', sk: 'A', lane: 'poll', dueAt: 5, listKey: 'l', listAt: '1' } });
  settle();
  expect(await table.due('poll', 5, 10)).toEqual([{ pk: 'A', sk: 'A', dueAt: 5 }]);
  const { rows } = await table.query({ index: 'list', partition: 'l', limit: 10 });
  expect(rows).toEqual([{ pk: 'A', sk: 'A', listKey: 'l', listAt: '1' }]);
});
