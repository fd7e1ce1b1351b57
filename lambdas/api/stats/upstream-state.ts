import type { Table } from '../../adapters/dynamodb/table.ts';
import { pauseReason, type UpstreamPause } from '../../domain/polling/upstream-pause.ts';
import { upstreamPauseKey } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';
import { iso } from '../http/time.ts';

/** Whether upstream is polled at present, and if not, why, since when and until when. */
export async function upstreamState(table: Pick<Table, 'get'>) {
  const pause = await table.get<RowKey & UpstreamPause>(upstreamPauseKey);
  if (!pause) return { state: 'ok' };
  return { state: 'paused', reason: pauseReason(pause), since: iso(pause.since), until: iso(pause.until) };
}
