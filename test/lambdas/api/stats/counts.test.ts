import { expect, test } from 'vitest';
import { createCounts } from '../../../../lambdas/api/stats/counts.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { settle } from '../../../support/lagging-reads.ts';

const database = useDatabase();

test('counts stop at their bound and say so', async () => {
  const { table } = database();
  const counts = createCounts(table, 5);
  const add = (n: number) =>
    table.write({
      put: { pk: `ROW#${n}`, sk: 'ROW', lane: 'copy', dueAt: 100 + n },
    });
  for (let n = 0; n < 5; n++) await add(n);
  settle();
  expect(await counts.inLane('copy')).toEqual({ count: 5, capped: false });
  expect(await counts.overdue('copy', 102)).toEqual({ count: 3, capped: false, oldest: 100 });
  expect(await counts.overdue('copy', 99)).toEqual({ count: 0, capped: false });
  await add(5);
  settle();
  expect(await counts.inLane('copy')).toEqual({ count: 5, capped: true });
});
