import type { Table } from '../adapters/dynamodb/table.ts';
import { endpointCountsKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

const FRESH_MS = 10_000;

/** Whether an account-wide endpoint asks for `progress.updated`, by the count that endpoint writes keep. */
export function createProgressWanted(table: Table, now: () => number): () => Promise<boolean> {
  let seen: { wanted: boolean; at: number } | undefined;
  return async () => {
    if (!seen || now() - seen.at > FRESH_MS) {
      const counts = await table.get<RowKey & { tellProgress?: number }>(endpointCountsKey, false);
      seen = { wanted: (counts?.tellProgress ?? 0) > 0, at: now() };
    }
    return seen.wanted;
  };
}
