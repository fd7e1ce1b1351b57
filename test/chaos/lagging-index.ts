import type { Table } from '../../lambdas/adapters/dynamodb/table.ts';
import type { Hint } from '../../lambdas/domain/work.ts';
import type { Faults } from './faults.ts';
import type { Simulation } from './simulation.ts';

const LONGEST_LAG_MS = 8_000;

/** When each row was last written, and where the index `due` last showed it. */
export type IndexHistory = ReturnType<typeof createIndexHistory>;

export function createIndexHistory(simulation: Simulation) {
  const written = new Map<string, number>();
  const shown = new Map<string, { lane: string; hint: Hint }>();
  const nameOf = ({ pk, sk }: { pk: string; sk: string }) => `${pk}\n${sk}`;

  /** Notes the rows that a call of DynamoDB names. */
  function onCall(name: string, body: string): void {
    if (!/^(Put|Update|Delete|TransactWrite)/.test(name)) return;
    for (const [, pk, sk] of body.matchAll(/"pk":\{"S":"([^"]*)"\},"sk":\{"S":"([^"]*)"\}/g)) {
      written.set(`${pk}\n${sk}`, simulation.now);
    }
  }

  const isFresh = (name: string, lagMs: number) => (written.get(name) ?? 0) > simulation.now - lagMs;

  function remember(lane: string, rows: readonly Hint[]): void {
    for (const hint of rows) shown.set(nameOf(hint), { lane, hint });
  }

  return { onCall, isFresh, remember, shown, nameOf };
}

/** A table whose indexes may show, of rows that were written in the last seconds, what was before. */
export function withLaggingIndex(
  table: Table,
  simulation: Simulation,
  faults: Faults,
  history: IndexHistory,
): Table {
  const { random } = simulation;

  async function due(lane: string, upTo: number, limit: number): Promise<Hint[]> {
    const before = [...history.shown].filter(([, each]) => each.lane === lane);
    const rows = await table.due(lane, upTo, limit);
    const lags = faults.strikes('lagging index', 0.3);
    const lagMs = random.integer(1, LONGEST_LAG_MS);
    const seen = lags
      ? [
          ...rows.filter((row) => !history.isFresh(history.nameOf(row), lagMs) || random.chance(0.5)),
          ...before
            .filter(
              ([name, { hint }]) => history.isFresh(name, lagMs) && hint.dueAt <= upTo && random.chance(0.5),
            )
            .map(([, { hint }]) => hint),
        ]
      : rows;
    history.remember(lane, rows);
    return seen.sort((a, b) => a.dueAt - b.dueAt).slice(0, limit);
  }

  return { ...table, due };
}
