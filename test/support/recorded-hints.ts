import { expect, onTestFinished } from 'vitest';
import type { Table } from '../../lambdas/adapters/dynamodb/table.ts';
import type { Due, Hint, Lane, RowKey, Work } from '../../lambdas/domain/work.ts';
import { type DueRows, listOf } from '../../lambdas/engine/hints.ts';

type RecordedHints = ReturnType<typeof recordHints>;

/**
 * Stands in for the queues: keeps the hints that were sent. Given a table, the test fails when a hint is sent
 * that does not name the lane and the due time of its row: it would claim nothing, and the row would wait
 * for the sweep.
 *
 * @param options.shared made outside of a test, for several: nothing is checked
 */
export function recordHints(table?: Pick<Table, 'get'>, { shared = false } = {}) {
  const sent: { lane: Lane; hint: Hint }[] = [];
  const all: { lane: Lane; hint: Hint; call: number }[] = [];
  const wrong: { row: Due; hinted: Due; call: number }[] = [];
  let calls = 0;
  if (table && !shared) onTestFinished(() => expect(wrong.filter((each) => !isExcused(each))).toEqual([]));

  /**
   * Another writer may have made the row due again before it was read here; then that one has hinted it, by another
   * call, earlier or later.
   */
  const isExcused = ({ row, call }: (typeof wrong)[number]): boolean =>
    all.some(
      ({ lane, hint, call: other }) =>
        other !== call &&
        lane === row.lane &&
        hint.pk === row.pk &&
        hint.sk === row.sk &&
        hint.dueAt === row.dueAt,
    );

  const record = async (lane: Lane, { pk, sk, dueAt }: Hint, call: number): Promise<void> => {
    const entry = { lane, hint: { pk, sk, dueAt } };
    sent.push(entry);
    all.push({ ...entry, call });
    const row = await table?.get<RowKey & Work>({ pk, sk });
    const named = row?.lane === lane && row.dueAt === dueAt;
    if (table && !named) wrong.push({ row: { ...row } as Due, hinted: { pk, sk, lane, dueAt }, call });
  };

  const send = async (due: DueRows): Promise<void> => {
    const call = calls++;
    for (const each of listOf(due)) await record(each.lane, each, call);
  };

  return {
    sent,
    send,
    sendPacked: async (lane: Lane, messages: readonly { hints: readonly Hint[] }[]): Promise<void> => {
      const call = calls++;
      for (const { hints } of messages) for (const hint of hints) await record(lane, hint, call);
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
