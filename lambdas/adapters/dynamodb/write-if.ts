import { ConditionFailed } from './condition-failed.ts';
import type { Write } from './expression.ts';
import type { Table } from './table.ts';

/**
 * Writes, several in one transaction, if all conditions hold, and says whether they did. A refused condition is
 * not an error.
 */
export async function writeIf(
  table: Pick<Table, 'write' | 'transact'>,
  ...writes: readonly [Write, ...Write[]]
): Promise<boolean> {
  try {
    if (writes.length === 1) await table.write(writes[0], 'nothing');
    else await table.transact(writes);
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
