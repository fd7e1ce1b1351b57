import { expect, test } from 'vitest';
import type { Table } from '../../../lambdas/adapters/dynamodb/table.ts';
import { MAX_POINTS } from '../../../lambdas/domain/requests/progress-series.ts';
import type { MetaRow } from '../../../lambdas/domain/requests/request.ts';
import { metaKey } from '../../../lambdas/domain/rows.ts';
import { showProgress } from '../../../lambdas/poll/show-progress.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { requestRow, START } from '../../support/rows.ts';

const database = useDatabase();

test('a point that another poll adds while the series is thinned is kept', async () => {
  const { table } = database();
  const row = requestRow();
  const key = metaKey(row.requestId);
  const full = Array.from({ length: MAX_POINTS }, (_, n) => [n, n % 7]).flat();
  await table.write({ put: { ...key, metadata: {}, callbacks: [], progressSeries: full } });
  const added = [9_999, 42];
  let writes = 0;
  const write: Table['write'] = async (change, wanted) => {
    if (++writes === 2) await table.write({ update: key, append: { progressSeries: added } });
    return table.write(change, wanted);
  };
  await showProgress({ ...table, write }, row, { status: row.status, progress: 99 }, START);
  expect(writes).toBe(2);
  expect((await table.get<MetaRow>(key))?.progressSeries?.slice(-2)).toEqual(added);
});
