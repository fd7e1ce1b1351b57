import { expect, test } from 'vitest';
import { createParkedList } from '../../../../lambdas/api/parked/parked-rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { settle } from '../../../support/lagging-reads.ts';

const database = useDatabase();

test('parked rows are paged without loss or repetition, though several were parked at the same time', async () => {
  const { table } = database();
  const listParked = createParkedList(table);
  const times = [5, 9, 9, 9, 7, 5, 3];
  for (const [n, dueAt] of times.entries()) {
    await table.write({ put: { pk: `REQ#${n}`, sk: 'REQUEST', lane: 'parked', dueAt } });
  }
  settle();
  const seen: string[] = [];
  let position: string | undefined;
  for (let more = true; more; ) {
    const page = await listParked(position, 4);
    seen.push(...page.entries.map(({ key }) => key.pk));
    position = page.entries.at(-1)?.position;
    more = page.more;
  }
  expect(seen).toHaveLength(times.length);
  expect(new Set(seen).size).toBe(times.length);
  expect(seen.map((pk) => times[Number(pk.slice(4))])).toEqual([9, 9, 9, 7, 5, 5, 3]);
});
