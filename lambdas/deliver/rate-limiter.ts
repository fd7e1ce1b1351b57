import { absent, equals } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table } from '../adapters/dynamodb/table.ts';
import {
  type Admission,
  admit,
  type LimiterRow,
  type LimiterState,
  type SlotRequest,
  UNUSED,
} from '../domain/delivering/rate-limiter.ts';
import { limiterKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

const TRIES = 20;
/** A row that nobody used for so long says nothing, s. */
const KEPT_S = 86_400;

export type RateLimiter = ReturnType<typeof createRateLimiter>;

/** The rate limiters of gates, each a row changed by compare and swap. */
export function createRateLimiter(table: Table) {
  /** Takes a slot; undefined when the next is not soon enough, or too many ask at once. */
  async function acquire(gate: RowKey, asked: SlotRequest): Promise<Pick<Admission, 'sendAt'> | undefined> {
    const key = limiterKey(gate);
    let row = await table.get<LimiterRow>(key);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const admission = admit(row ?? UNUSED, asked);
      if (!admission) return undefined;
      const version = (row?.version ?? 0) + 1;
      const expiresAt = Math.ceil(asked.now / 1_000) + KEPT_S;
      try {
        await table.write({
          update: key,
          set: { ...admission.turns, version, expiresAt },
          if: [row ? equals('version', row.version) : absent('version')],
        });
        return admission;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        row = (error.rows.get(0) as LimiterRow | undefined) ?? (await table.get<LimiterRow>(key));
      }
    }
    return undefined;
  }

  /** Says that the attempt of a claim has ended. */
  async function release(gate: RowKey, nonce: string): Promise<void> {
    try {
      await table.write({
        update: limiterKey(gate),
        remove: [`busy.${nonce}`],
        add: { version: 1 },
        if: [{ attribute: `busy.${nonce}`, is: 'present' }],
      });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  /** The limiter as it is. */
  const stateOf = async (gate: RowKey): Promise<LimiterState> =>
    (await table.get<LimiterRow>(limiterKey(gate))) ?? UNUSED;

  return { acquire, release, stateOf };
}
