import {
  attributesFor,
  type DeliveryOf01,
  isInFailedLane,
  isOf01,
  REMOVED,
} from '../../domain/delivering/delivery-of-0.1.ts';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import { endpointKey, ROW_VERSION } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';
import { ConditionFailed } from './condition-failed.ts';
import { asRead, present } from './expression.ts';
import { optimistic } from './optimistic.ts';
import type { createReads } from './reads.ts';
import type { createWrites } from './writes.ts';

type Rows = ReturnType<typeof createReads> & ReturnType<typeof createWrites>;

/**
 * A table that converts deliveries of release 0.1 when they are read, so that the stages know one shape. Such
 * rows live until they expire. This file goes with the first release that no longer upgrades from 0.1.
 */
export function withUpgradedRows(table: Rows): Rows {
  return {
    ...table,
    get: async (...given) => upgraded(await table.get(...given)),
    getMany: async (...given) => Promise.all((await table.getMany(...given)).map(upgraded)),
    query: async (...given) => {
      const { rows, more } = await table.query(...given);
      return { rows: await all(rows), more };
    },
    queryAll: async (...given) => all(await table.queryAll(...given)),
    write: async (...given) => upgraded(await sentAgain(() => table.write(...given))),
    transact: (changes) => sentAgain(() => table.transact(changes)),
  } as Rows;

  /** Sends a write again that a row of release 0.1 has refused: its conditions name attributes that are new. */
  async function sentAgain<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const refused = [...error.rows.values()].filter(isOf01);
      if (refused.length === 0) throw error;
      await Promise.all(refused.map(upgraded));
      return send();
    }
  }

  /** Leaves out rows that were deleted since. */
  async function all(rows: readonly RowKey[]): Promise<RowKey[]> {
    return (await Promise.all(rows.map(upgraded))).filter((row) => row !== undefined);
  }

  async function upgraded(row: RowKey | undefined): Promise<RowKey | undefined> {
    if (!row || !isOf01(row)) return row;
    const endpoint = await table.get<EndpointRow>(endpointKey(row.endpointId));
    return optimistic(async () => {
      const current = await table.get(row);
      if (!current || !isOf01(current)) return current;
      return table.write(upgrade(current, endpoint?.createdAt));
    });
  }
}

function upgrade(row: DeliveryOf01, endpointCreatedAt: number | undefined) {
  return {
    update: row,
    set: { ...attributesFor(row, endpointCreatedAt), v: ROW_VERSION },
    remove: [...REMOVED, ...(isInFailedLane(row) ? ['lane', 'dueAt'] : [])],
    if: [present('payload'), asRead('waitsAt', row.waitsAt), asRead('next', row.next)],
  };
}
