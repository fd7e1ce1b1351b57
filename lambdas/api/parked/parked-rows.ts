import type { Table } from '../../adapters/dynamodb/table.ts';
import { type Hint, PARKED } from '../../domain/work.ts';
import type { ListEntry } from '../http/paging.ts';

/** Rows parked in the same millisecond, at most. */
const PARKED_AT_ONCE = 1_000;
const TIME_DIGITS = 15;

/**
 * Lists the rows of all kinds that wait for a person, last parked first. Many may be parked at the same time,
 * so those of one time are always read together and sorted here.
 */
export function createParkedList(table: Pick<Table, 'query'>) {
  return async function listParked(
    before: string | undefined,
    limit: number,
  ): Promise<{ entries: ListEntry[]; more: boolean }> {
    const time = before === undefined ? undefined : Number(before.slice(0, TIME_DIGITS));
    const { rows, more } = await table.query<Hint>({
      index: 'due',
      partition: PARKED,
      before: time,
      newestFirst: true,
      limit,
    });
    const last = more ? rows.at(-1)?.dueAt : undefined;
    const [first, whole] = await Promise.all([parkedAt(time), parkedAt(last)]);
    const entries = [...first, ...rows.filter(({ dueAt }) => dueAt !== last), ...whole]
      .map(({ pk, sk, dueAt }) => ({ position: placeOf({ pk, sk, dueAt }), key: { pk, sk } }))
      .filter(({ position }) => before === undefined || position < before)
      .sort((a, b) => (a.position < b.position ? 1 : -1));
    return { entries, more };
  };

  async function parkedAt(time: number | undefined): Promise<Hint[]> {
    if (time === undefined) return [];
    const { rows } = await table.query<Hint>({
      index: 'due',
      partition: PARKED,
      after: time - 1,
      before: time + 1,
      limit: PARKED_AT_ONCE,
    });
    return rows;
  }
}

const placeOf = ({ dueAt, pk, sk }: Hint): string =>
  `${String(dueAt).padStart(TIME_DIGITS, '0')}#${pk}#${sk}`;
