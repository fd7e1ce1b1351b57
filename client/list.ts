import type { CallOptions, Exchange, Query } from './exchange.ts';
import type { Page } from './types.ts';

/** How much of a list one call gives. */
export type PageOptions = CallOptions & {
  /** Items of a page, 1 to 100; default 50. */
  readonly limit?: number | undefined;
  /** Where to begin; default at the beginning. */
  readonly cursor?: string | undefined;
};

/** A list of the API. Iterating over it gives every item, and follows the cursors. */
export type List<T> = AsyncIterable<T> & {
  /** Page by page; a page may be empty although others follow. */
  pages(options?: PageOptions): AsyncIterable<Page<T>>;
  /** One page, from the cursor on. */
  page(options?: PageOptions): Promise<Page<T>>;
};

/**
 * @param query the list's filter
 * @param keep what else an item must be, where the filter cannot say it
 */
export function createList<T>(
  exchange: Exchange,
  path: string,
  query: Query,
  given: CallOptions,
  keep: (item: T) => boolean = () => true,
): List<T> {
  async function page({ signal = given.signal, limit, cursor }: PageOptions = {}): Promise<Page<T>> {
    const found = await exchange<Page<T>>('GET', path, { query: { ...query, limit, cursor }, signal });
    return { ...found, items: found.items.filter(keep) };
  }

  async function* pages(options: PageOptions = {}): AsyncGenerator<Page<T>> {
    let { cursor } = options;
    do {
      const found = await page({ ...options, cursor });
      yield found;
      cursor = found.cursor;
    } while (cursor !== undefined);
  }

  return {
    page,
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const { items } of pages({ limit: 100 })) yield* items;
    },
  };
}
