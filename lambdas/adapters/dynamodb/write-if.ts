import type { Write } from './expression.ts';
import { ConditionFailed, type Table } from './table.ts';

/** Writes if the write's condition holds, and says whether it did; when not, nothing is amiss. */
export async function writeIf(table: Pick<Table, 'write'>, write: Write): Promise<boolean> {
  try {
    await table.write(write, 'nothing');
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
