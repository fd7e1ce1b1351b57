import type { Table } from '../../lambdas/adapters/dynamodb/table.ts';

/** What a killed worker's calls meet: nothing that it does has an effect any more. */
class Killed extends Error {
  override readonly name = 'Killed';
}

/**
 * When a worker dies: at this call to the outside, counted from 1, after it took effect and before
 * its answer came. (Dying before a call leaves what dying after the one before it leaves.)
 */
export type Death = { readonly atCall: number };

/** The life of a worker: counts its calls to the outside, and ends at the given one. */
export function mortal(death: Death | undefined) {
  let calls = 0;
  let dead = false;

  async function call<R>(effect: () => Promise<R>): Promise<R> {
    if (dead) throw new Killed('dead');
    const result = await effect();
    if (++calls === death?.atCall) dead = true;
    if (dead) throw new Killed('killed after a call');
    return result;
  }

  return {
    call,
    isDead: () => dead,
    /** Dies now: calls that are under way have their effect, but no answer. */
    kill: (): void => {
      dead = true;
    },
    calls: () => calls,
    /** The table, as long as the worker lives. */
    table: (table: Table): Table =>
      ({
        get: (...args) => call(() => table.get(...args)),
        getMany: (...args) => call(() => table.getMany(...args)),
        write: (...args) => call(() => table.write(...args)),
        transact: (...args) => call(() => table.transact(...args)),
        query: (...args) => call(() => table.query(...args)),
        queryAll: (...args) => call(() => table.queryAll(...args)),
        due: (...args) => call(() => table.due(...args)),
      }) as Table,
  };
}
