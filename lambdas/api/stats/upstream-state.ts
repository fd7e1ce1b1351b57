import type { Table } from '../../adapters/dynamodb/table.ts';
import { iso } from '../../domain/iso.ts';
import { pauseReason, type UpstreamPause } from '../../domain/polling/upstream-pause.ts';
import { upstreamPauseKey } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';

/** The pause of all polling, while there is one. */
export const readPause = (table: Pick<Table, 'get'>): Promise<UpstreamPause | undefined> =>
  table.get<RowKey & UpstreamPause>(upstreamPauseKey);

/** Whether upstream is polled at present, and if not, why, since when and until when. */
export function upstreamState(pause: UpstreamPause | undefined) {
  if (!pause) return { state: 'ok' } as const;
  return { state: 'paused', reason: pauseReason(pause), since: iso(pause.since), until: iso(pause.until) };
}
