import type { Table } from '../adapters/dynamodb/table.ts';
import type { Claims } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';

/** What the dispatch stage works with. */
export type DispatchDependencies = {
  readonly table: Table;
  readonly claims: Claims;
  readonly hints: Pick<Hints, 'send' | 'sendPacked'>;
  readonly now: () => number;
  readonly retentionDays: number;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};
