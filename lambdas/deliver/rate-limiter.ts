import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, equals } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import {
  grant,
  type LimiterRow,
  type LimiterState,
  type SlotRequest,
  UNUSED,
} from '../domain/delivering/gate/rate-limiter.ts';
import type { Limit } from '../domain/delivering/gate/standing.ts';
import type { RowKey } from '../domain/work.ts';

/** How long a limiter without use keeps its row, s. */
const KEPT_S = 86_400;

export type RateLimiter = ReturnType<typeof createRateLimiter>;

/** The rate limiters of endpoints and origins, each a row that is changed by compare and swap. */
export function createRateLimiter(table: Table) {
  /**
   * Acquires a slot of each limit, or of none. Returns when the attempt may begin, ms since epoch; undefined
   * when no slot is free soon enough, or too many workers ask at once.
   */
  async function acquire(limits: readonly Limit[], request: SlotRequest): Promise<number | undefined> {
    try {
      return await acquireAll(limits, request);
    } catch (error) {
      // A failed write may still have taken the slot, so release it. Throw the first error, not this one.
      await release(limits, request.nonce).catch(() => undefined);
      throw error;
    }
  }

  async function acquireAll(limits: readonly Limit[], request: SlotRequest): Promise<number | undefined> {
    let sendAt = request.now;
    for (const [i, limit] of limits.entries()) {
      const at = await acquireOne(limit, request);
      if (at === undefined) {
        await release(limits.slice(0, i), request.nonce);
        return undefined;
      }
      sendAt = Math.max(sendAt, at);
    }
    return sendAt;
  }

  async function acquireOne(limit: Limit, request: SlotRequest): Promise<number | undefined> {
    const { key } = limit;
    try {
      return await optimistic(async () => {
        const row = await table.get<LimiterRow>(key);
        // The answer to the write that granted it was lost.
        if (row?.grantedTo === request.nonce) return row.grantedAt;
        const granted = grant(row ?? UNUSED, limit, request);
        if (!granted) return undefined;
        const { state, sendAt } = granted;
        const version = (row?.version ?? 0) + 1;
        const expiresAt = Math.ceil(request.now / 1_000) + KEPT_S;
        await table.write({
          update: key,
          set: { ...state, version, grantedTo: request.nonce, grantedAt: sendAt, expiresAt },
          if: [row ? equals('version', row.version) : absent('version')],
        });
        return sendAt;
      });
    } catch (error) {
      if (error instanceof ConditionFailed) return undefined;
      throw error;
    }
  }

  /** Gives the slots back that the attempt of a claim has held. */
  async function release(limits: readonly Limit[], nonce: string): Promise<void> {
    const counted = limits.filter(({ atOnce }) => atOnce !== undefined);
    await Promise.all(
      counted.map(({ key }) =>
        writeIf(table, {
          update: key,
          remove: [`busy.${nonce}`],
          add: { version: 1 },
          if: [{ attribute: `busy.${nonce}`, is: 'present' }],
        }),
      ),
    );
  }

  /** A limiter as it is. */
  const stateOf = async (key: RowKey): Promise<LimiterState> => (await table.get<LimiterRow>(key)) ?? UNUSED;

  return { acquire, release, stateOf };
}
