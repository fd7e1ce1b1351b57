import { createHash } from 'node:crypto';
import { ConditionFailed } from '../../adapters/dynamodb/condition-failed.ts';
import { absent, equals, type Write } from '../../adapters/dynamodb/expression.ts';
import type { Table } from '../../adapters/dynamodb/table.ts';
import { idempotencyExpiry, isExpired } from '../../domain/retention.ts';
import type { RowKey } from '../../domain/work.ts';
import type { DueRows } from '../../engine/hints.ts';

/** What an effect left: enough to give the same answer again, and never a secret. */
export type Outcome = { readonly status: number; readonly ids: Readonly<Record<string, string>> };

/** An outcome, and what its effect made due, to be hinted; nothing when another call had the effect. */
export type Effect = Outcome & { readonly due?: DueRows };

/** Applies the writes of an effect, with its outcome, in one transaction. */
export type Commit = (writes: readonly Write[], effect: Effect) => Promise<Effect>;

/** What an idempotency key stands for: the same key of another caller, or on another path, is another. */
export type Scope = {
  /** The id of the API key. */
  readonly caller: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
  /** What the caller asked for; only its hash is kept. */
  readonly request: string;
};

/** The key was used before, for something else. */
export class KeyReused extends Error {
  override readonly name = 'KeyReused';
}

/** Another call with the same key was first; its outcome counts. */
class Overtaken extends Error {}

type IdempotencyRow = RowKey & Outcome & { requestHash: string; expiresAt: number };

export type Idempotency = ReturnType<typeof createIdempotency>;

/** What an idempotency key stands for now: an effect that is done, or none yet. */
export type Kept =
  | { readonly outcome: Outcome }
  /** Keeps the outcome in the transaction of the effect; refused there when another call was first. */
  | { readonly guard: (outcome: Outcome) => Write[] };

/** A key that was not given keeps nothing. */
export const NO_KEY: Kept = { guard: () => [] };

/** Idempotency keys: rows written in the transaction of the effect, kept for 24 h. */
export function createIdempotency(table: Table, now: () => number) {
  /** What each of the keys stands for, in its place; a {@link KeyReused} where it is something else. */
  async function find(scopes: readonly Scope[]): Promise<(Kept | KeyReused)[]> {
    const rows = await table.getMany<IdempotencyRow>(scopes.map(keyOf));
    return scopes.map((scope, i) => {
      const key = keyOf(scope);
      const requestHash = hash(scope.request);
      const row = rows[i];
      if (row && !isExpired(row, now())) {
        if (row.requestHash !== requestHash)
          return new KeyReused('the idempotency key was used for another request');
        return { outcome: { status: row.status, ids: row.ids } };
      }
      return {
        guard: ({ status, ids }) => [
          {
            put: { ...key, requestHash, status, ids, expiresAt: idempotencyExpiry(now()) },
            if: [row ? equals('expiresAt', row.expiresAt) : absent('pk')],
          },
        ],
      };
    });
  }

  /**
   * Runs the effect unless it was run before with the same key, and answers how it ended then. Two at
   * once: one commits, the other answers with what that one left. Without a scope it just runs.
   */
  async function once(
    scope: Scope | undefined,
    effect: (commit: Commit) => Promise<Effect>,
  ): Promise<Effect> {
    if (!scope) return effect(plainCommit);
    const kept = await findOne(scope);
    if ('outcome' in kept) return kept.outcome;
    const commit: Commit = async (writes, outcome) => {
      try {
        await table.transact([...writes, ...kept.guard(outcome)]);
      } catch (error) {
        if (error instanceof ConditionFailed && error.failed.includes(writes.length)) throw new Overtaken();
        throw error;
      }
      return outcome;
    };
    try {
      return await effect(commit);
    } catch (error) {
      // A call with the same key may have been first, and made this one fail.
      const first = await findOne(scope);
      if ('outcome' in first) return first.outcome;
      throw error;
    }
  }

  async function findOne(scope: Scope): Promise<Kept> {
    const [kept] = await find([scope]);
    if (!kept || kept instanceof KeyReused) throw kept;
    return kept;
  }

  const plainCommit: Commit = async (writes, outcome) => {
    if (writes.length > 0) await table.transact(writes);
    return outcome;
  };

  return { find, once };
}

const keyOf = ({ caller, method, path, key }: Scope): RowKey => ({
  pk: `IDEMPOTENCY#${hash(JSON.stringify([caller, method, path, key]))}`,
  sk: 'KEY',
});

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
