import { signal } from '@preact/signals';
import type { Client, RequestFilter, VideoRequest } from '../../client/client.ts';

const PAGE = 100;
/** The first page is smaller, so that it is there sooner. */
const FIRST_PAGE = 50;
/** Pages that are loaded again at once; a screen shows rows of two at most. */
const PAGES_AT_ONCE = 3;

/**
 * The requests of a filter, newest first, as far as they were loaded. New ones come on top, and the pages in
 * sight are loaded again, so that a list of any length costs the same.
 */
export function createRequestStore(client: Client, filter: RequestFilter) {
  const list = client.requests.list(filter);
  const rows = signal<readonly VideoRequest[]>([]);
  /** Waiting for a person; shown above all others where no filter is set. */
  const parked = signal<readonly VideoRequest[]>([]);
  const loading = signal(false);
  const error = signal<unknown>(undefined);
  /** Whether there are no more pages. */
  const complete = signal(false);
  const known = new Map<string, VideoRequest>();
  /** Where each loaded page begins. */
  const pages: { cursor: string | undefined; limit: number; ids: Set<string> }[] = [];
  let next: string | undefined;
  const isPlain = !filter.state && !filter.status && !filter.q;

  function merge(found: readonly VideoRequest[]): void {
    for (const each of found) known.set(each.requestId, each);
    const aside = new Set(parked.value.map(({ requestId }) => requestId));
    rows.value = [...known.values()]
      .filter(({ requestId }) => !aside.has(requestId))
      .sort((a, b) => (a.registeredAt < b.registeredAt ? 1 : a.registeredAt > b.registeredAt ? -1 : 0));
  }

  /** Runs one load at a time; a failure is shown, and the next try may mend it. */
  async function run(load: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (loading.value) return;
    loading.value = true;
    try {
      await load();
      error.value = undefined;
    } catch (thrown) {
      if (!signal.aborted) error.value = thrown;
    } finally {
      loading.value = false;
    }
  }

  const loadMore = (signal: AbortSignal) =>
    run(async () => {
      if (complete.value) return;
      const limit = pages.length === 0 ? FIRST_PAGE : PAGE;
      const page = await list.page({ limit, cursor: next, signal });
      pages.push({ cursor: next, limit, ids: new Set(page.items.map(({ requestId }) => requestId)) });
      next = page.cursor;
      complete.value = next === undefined;
      merge(page.items);
    }, signal);

  /** Loads the first page again, and those with the given requests. */
  const refresh = (seen: readonly string[], signal: AbortSignal) =>
    run(async () => {
      const inSight = pages.filter(({ ids }, i) => i === 0 || seen.some((id) => ids.has(id)));
      const [waiting, ...found] = await Promise.all([
        isPlain ? client.requests.list({ state: 'parked' }).page({ limit: PAGE, signal }) : undefined,
        ...inSight.slice(0, PAGES_AT_ONCE).map(({ cursor, limit }) => list.page({ limit, cursor, signal })),
      ]);
      if (waiting) parked.value = waiting.items;
      // Of a filtered list, what no longer matches is no longer answered.
      const answered = new Set(found.flatMap((page) => page?.items.map(({ requestId }) => requestId) ?? []));
      if (!isPlain)
        for (const { ids } of inSight) for (const id of ids) if (!answered.has(id)) known.delete(id);
      inSight.forEach((page, i) => {
        for (const { requestId } of found[i]?.items ?? []) page.ids.add(requestId);
      });
      merge(found.flatMap((page) => page?.items ?? []));
    }, signal);

  return { rows, parked, loading, error, complete, loadMore, refresh };
}

export type RequestStore = ReturnType<typeof createRequestStore>;
