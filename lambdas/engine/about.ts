import { idsOf } from '../domain/row-ids.ts';
import type { Lane, RowKey } from '../domain/work.ts';

/** What a line of the log is about: the due row, and the ids by which people look for it. */
export const about = (lane: Lane, row: RowKey) => ({ lane, row: { pk: row.pk, sk: row.sk }, ...idsOf(row) });
