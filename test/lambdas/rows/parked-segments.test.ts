import { expect, test } from 'vitest';
import { requestKey, segmentKey } from '../../../lambdas/domain/rows.ts';
import { parkedSegments } from '../../../lambdas/rows/parked-segments.ts';
import { useDatabase } from '../../support/dynamodb.ts';

const database = useDatabase();

test('of the segments of a request only the parked ones are found', async () => {
  const { table } = database();
  for (const [n, lane] of ['copy', 'parked', 'parked'].entries()) {
    await table.write({ put: { ...segmentKey('a', 1, n), lane, dueAt: 1 } });
  }
  await table.write({ put: { ...requestKey('a'), lane: 'parked', dueAt: 1 } });
  expect((await parkedSegments(table, 'a')).map(({ sk }) => sk)).toEqual([
    'SEGMENT#1#00001',
    'SEGMENT#1#00002',
  ]);
});
