import type { Condition, Write } from '../adapters/dynamodb/expression.ts';
import type { Due, Lane, RowKey, Work } from '../domain/work.ts';
import { freshDueAt } from './due-time.ts';

/** Attributes of a worker's claim, which a writer that does not own the row removes. */
const WORK = ['owner', 'claims', 'lastFailure', 'parked'];

type Change = {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  readonly if?: readonly Condition[];
};

/**
 * Makes a row due at `at` (ms since epoch), for a writer that does not own it: takes it from its worker,
 * or from the parked ones. The due time differs from the one that the row was read with, so that no old
 * hint claims it. Send `due` after the commit.
 */
export function wake(
  row: RowKey & Pick<Work, 'dueAt'>,
  lane: Lane,
  at: number,
  { setIfAbsent, ...change }: Change & { readonly setIfAbsent?: Readonly<Record<string, unknown>> } = {},
): { write: Write & { update: RowKey }; due: Due } {
  const { pk, sk } = row;
  const due = { pk, sk, lane, dueAt: freshDueAt(at, row.dueAt) };
  return {
    due,
    write: {
      update: { pk, sk },
      set: { ...change.set, lane, dueAt: due.dueAt },
      ...(setIfAbsent ? { setIfAbsent } : {}),
      remove: [...new Set([...WORK, ...(change.remove ?? [])])],
      if: change.if ?? [],
    },
  };
}

/** Takes a row out of all work, for a writer that does not own it. */
export function withdraw({ pk, sk }: RowKey, change: Change = {}): Write & { update: RowKey } {
  return {
    update: { pk, sk },
    set: change.set ?? {},
    remove: [...new Set([...WORK, 'lane', 'dueAt', ...(change.remove ?? [])])],
    if: change.if ?? [],
  };
}
