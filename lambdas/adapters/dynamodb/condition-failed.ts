import type { RowKey } from '../../domain/work.ts';

export type Row = RowKey & Record<string, unknown>;

/** A condition of a write did not hold: another writer was first. Never retried unchanged. */
export class ConditionFailed extends Error {
  override readonly name = 'ConditionFailed';
  /** The indexes in the transaction of the writes whose conditions failed; `[0]` for a single write. */
  readonly failed: readonly number[];
  /** The rows as they are, where DynamoDB returned them, by index. */
  readonly rows: ReadonlyMap<number, Row>;

  constructor(failed: readonly number[], rows: ReadonlyMap<number, Row>) {
    super(`a conditional write was refused (clause ${failed.join(', ')})`);
    this.failed = failed;
    this.rows = rows;
  }
}
