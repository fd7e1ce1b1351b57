import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { equals, present } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { seriesPoint, thinned } from '../domain/requests/progress-series.ts';
import type { MetaRow, RequestRow, UpstreamStatus } from '../domain/requests/request.ts';
import { metaKey } from '../domain/rows.ts';

/**
 * Writes what is only shown to a row besides the one that is polled, and only when it changed: the
 * nodes' states and how progress went.
 *
 * @param row as it was before the poll
 */
export async function showProgress(
  table: Pick<Table, 'write' | 'transact'>,
  row: RequestRow,
  { status, progress, processingJobs }: UpstreamStatus,
  now: number,
): Promise<void> {
  const moved = progress !== undefined && progress !== row.progress;
  if (!moved && (status === row.status || !processingJobs)) return;
  const key = metaKey(row.requestId);
  try {
    const meta = await table.write<MetaRow>({
      update: key,
      set: { processingJobs },
      ...(moved ? { append: { progressSeries: seriesPoint({ at: now, progress }, row.startedAt) } } : {}),
      if: [present('pk')],
    });
    const { progressSeries = [] } = meta ?? {};
    const fewer = thinned(progressSeries);
    const asItIs = equals('progressSeries', progressSeries);
    if (fewer) await writeIf(table, { update: key, set: { progressSeries: fewer }, if: [asItIs] });
  } catch (error) {
    // The request was erased since.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
