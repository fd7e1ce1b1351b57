import { expect } from 'vitest';
import type { Table } from '../../lambdas/adapters/dynamodb/table.ts';
import type { Hint, Lane, RowKey, Work } from '../../lambdas/domain/work.ts';
import { type DueRows, listOf } from '../../lambdas/engine/hints.ts';

/** Stands in for the queues: keeps the hints that were sent. */
export type RecordedHints = ReturnType<typeof recordHints>;

export function recordHints() {
  const sent: { lane: Lane; hint: Hint }[] = [];
  const record = (lane: Lane, { pk, sk, dueAt }: Hint) => sent.push({ lane, hint: { pk, sk, dueAt } });

  const send = async (due: DueRows): Promise<void> => {
    for (const each of listOf(due)) record(each.lane, each);
  };

  return {
    sent,
    send,
    sendPacked: async (lane: Lane, messages: readonly { hints: readonly Hint[] }[]): Promise<void> => {
      for (const { hints } of messages) for (const hint of hints) record(lane, hint);
    },
    /** The hints of a lane since the last call of `clear`. */
    of: (lane: Lane): Hint[] => sent.filter((entry) => entry.lane === lane).map(({ hint }) => hint),
    clear: (): void => {
      sent.length = 0;
    },
  };
}

/**
 * That each row was last hinted with the lane and due time that it has. A hint that names another time
 * claims nothing, and its row waits for the sweep.
 */
export async function expectHintsToNameRows(
  table: Pick<Table, 'get'>,
  { sent }: Pick<RecordedHints, 'sent'>,
): Promise<void> {
  const last = new Map(sent.map(({ lane, hint }) => [`${hint.pk} ${hint.sk}`, { lane, hint }]));
  expect(last.size).toBeGreaterThan(0);
  for (const { lane, hint } of last.values()) {
    const row = await table.get<RowKey & Work>(hint);
    expect({ pk: row?.pk, sk: row?.sk, lane: row?.lane, dueAt: row?.dueAt }).toEqual({ ...hint, lane });
  }
}
