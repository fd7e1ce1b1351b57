import type { Table } from '../../adapters/dynamodb/table.ts';
import type { UpstreamPause } from '../../domain/polling/upstream-pause.ts';
import { upstreamPauseKey } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';
import { iso } from '../http/time.ts';

/** Whether upstream is polled at present, and if not, why, since when and until when. */
export async function upstreamState(table: Pick<Table, 'get'>) {
  const pause = await table.get<RowKey & UpstreamPause>(upstreamPauseKey);
  if (!pause) return { state: 'ok' };
  const { reason, detail, since, until } = pause;
  return { state: 'paused', reason: detail ?? REASONS[reason], since: iso(since), until: iso(until) };
}

const REASONS: Record<UpstreamPause['reason'], string> = {
  unauthorized: 'Topaz refuses the API key: put a valid one into its secret',
  throttled: 'Topaz asks to wait',
  'no-key': 'there is no Topaz API key: put yours into its secret',
};
