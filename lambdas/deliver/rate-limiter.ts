import { absent, equals } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table } from '../adapters/dynamodb/table.ts';
import {
  type Admission,
  admit,
  NO_TURNS,
  type Turns,
  type TurnsRow,
  type Wish,
} from '../domain/delivering/rate-limiter.ts';
import { turnsKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

const TRIES = 20;
/** A row that nobody used for so long says nothing, s. */
const KEPT_S = 86_400;

export type TakeTurns = ReturnType<typeof createTurns>;

/** The turns of gates, each a row changed by compare and swap. */
export function createTurns(table: Table) {
  /** Takes a turn; undefined when it is not soon enough, or too many ask at once. */
  async function take(gate: RowKey, wish: Wish): Promise<Pick<Admission, 'sendAt'> | undefined> {
    const key = turnsKey(gate);
    let row = await table.get<TurnsRow>(key);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const admission = admit(row ?? NO_TURNS, wish);
      if (!admission) return undefined;
      const version = (row?.version ?? 0) + 1;
      const expiresAt = Math.ceil(wish.now / 1_000) + KEPT_S;
      try {
        await table.write({
          update: key,
          set: { ...admission.turns, version, expiresAt },
          if: [row ? equals('version', row.version) : absent('version')],
        });
        return admission;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        row = (error.rows.get(0) as TurnsRow | undefined) ?? (await table.get<TurnsRow>(key));
      }
    }
    return undefined;
  }

  /** Says that the attempt of a claim has ended. */
  async function giveBack(gate: RowKey, nonce: string): Promise<void> {
    try {
      await table.write({
        update: turnsKey(gate),
        remove: [`busy.${nonce}`],
        add: { version: 1 },
        if: [{ attribute: `busy.${nonce}`, is: 'present' }],
      });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  /** The turns as they are. */
  const of = async (gate: RowKey): Promise<Turns> => (await table.get<TurnsRow>(turnsKey(gate))) ?? NO_TURNS;

  return { take, giveBack, of };
}
