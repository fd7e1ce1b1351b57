import * as z from 'zod/mini';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { ItemPage } from './paging.ts';
import { type Answer, type Call, ok } from './route.ts';

const DEFAULT_LIMIT = 50;

/** The parameters of every list; a list adds its filters. */
export const paging = {
  limit: z.optional(
    z
      .string()
      .check(
        z.regex(/^(100|[1-9]\d?)$/, 'This must be a whole number from 1 to 100: correct it.'),
        z.describe('Items of a page, 1 to 100; default 50.'),
      ),
  ),
  cursor: z.optional(z.string().check(z.maxLength(1_000), z.describe('The `cursor` of the previous page.'))),
};

type PagingQuery = { limit?: string; cursor?: string };

/** Lists over HTTP: `{items, cursor?}`, with cursors that belong to the path and the filter. */
export function createLists(secret: () => Promise<string>) {
  return async function page<Q extends PagingQuery>(
    { path, query }: Pick<Call<Q, unknown>, 'path' | 'query'>,
    collect: (from: { limit: number; after: string | undefined }) => Promise<ItemPage<unknown>>,
  ): Promise<Answer> {
    const { limit, cursor, ...filter } = query;
    const list = JSON.stringify([path, Object.entries(filter).sort()]);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, list, await secret());
    const { items, next } = await collect({ limit: limit ? Number(limit) : DEFAULT_LIMIT, after });
    if (next === undefined) return ok({ items });
    return ok({ items, cursor: encodeCursor(next, list, await secret()) });
  };
}
