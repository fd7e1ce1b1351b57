import { computed, signal } from '@preact/signals';
import type { Client, RequestFilter, VideoRequest } from '../../client/client.ts';
import { createLoads } from '../parts/loads.ts';

const PAGE = 100;
/** The first page is smaller, so that it is there sooner. */
const FIRST_PAGE = 50;
/** Pages that are loaded again at once; a screen shows rows of two at most. */
const PAGES_AT_ONCE = 3;

/** A loaded page: where it begins, and what it held when it was last read. */
type LoadedPage = { cursor: string | undefined; readonly limit: number; ids: Set<string> };
type Answered = { readonly items: readonly VideoRequest[]; readonly cursor?: string | undefined };

/**
 * The requests of a filter, newest first, as far as they were loaded. New ones come on top, and the pages in
 * sight are loaded again, so that a list of any length costs the same.
 */
export function createRequestStore(client: Client, filter: RequestFilter) {
  const list = client.requests.list(filter);
  const rows = signal<readonly VideoRequest[]>([]);
  /** Waiting for a person; shown above all others where no filter is set. */
  const parked = signal<readonly VideoRequest[]>([]);
  /** As they are shown. */
  const all = computed(() => [...parked.value, ...rows.value]);
  const { loading, error, run } = createLoads();
  /** Whether there are no more pages. */
  const complete = signal(false);
  let stopped = new AbortController();
  const known = new Map<string, VideoRequest>();
  /** One behind the other; new requests push the old ones of a page into the next. */
  const pages: LoadedPage[] = [];
  let next: string | undefined;
  const isPlain = !filter.state && !filter.status && !filter.q;

  function show(): void {
    const aside = new Set(parked.value.map(({ requestId }) => requestId));
    const sorted = [...known.values()]
      .filter(({ requestId }) => !aside.has(requestId))
      .sort((a, b) => (a.registeredAt < b.registeredAt ? 1 : a.registeredAt > b.registeredAt ? -1 : 0));
    const isSame = sorted.length === rows.value.length && sorted.every((each, i) => each === rows.value[i]);
    if (!isSame) rows.value = sorted;
  }

  /** Keeps what it knew of requests that did not change, so that only the others are drawn again. */
  function know(items: readonly VideoRequest[]): void {
    for (const each of items) {
      const before = known.get(each.requestId);
      if (!before || JSON.stringify(before) !== JSON.stringify(each)) known.set(each.requestId, each);
    }
  }

  /** Takes what a page holds now, in place of what it held. */
  function replace(page: LoadedPage, { items, cursor }: Answered): void {
    const answered = new Set(items.map(({ requestId }) => requestId));
    const missing = [...page.ids].filter((id) => !answered.has(id));
    const oldest = cursor === undefined ? '' : items.at(-1)?.registeredAt;
    know(items);
    // An empty page with a cursor does not say which rows are gone.
    if (oldest === undefined) return;
    const pushedOut = missing.filter((id) => (known.get(id)?.registeredAt ?? '') <= oldest);
    const pushed = new Set(pushedOut);
    // The others matched once, or were there, and do not match or are erased now.
    for (const id of missing) if (!pushed.has(id)) known.delete(id);
    page.ids = answered;
    if (pushedOut.length === 0) return;
    const following = pages[pages.indexOf(page) + 1];
    if (following) {
      following.cursor = cursor;
      following.ids = new Set([...pushedOut, ...following.ids]);
    } else pages.push({ cursor, limit: PAGE, ids: pushed });
  }

  const loadMore = () =>
    run(stopped.signal, async () => {
      if (complete.value) return;
      const limit = pages.length === 0 ? FIRST_PAGE : PAGE;
      const { items, cursor } = await list.page({ limit, cursor: next, signal: stopped.signal });
      const page = { cursor: next, limit, ids: new Set<string>() };
      // A search may find nothing in what it looked through, and go on.
      if (items.length > 0 || pages.length === 0) pages.push(page);
      replace(page, { items, cursor });
      next = cursor;
      complete.value = next === undefined;
      show();
    });

  /** Loads the first page again, and those with the given requests, which are in sight. */
  const refresh = (seen: readonly string[]) =>
    run(stopped.signal, async () => {
      const inSight = pages
        .filter(({ ids }, i) => i === 0 || seen.some((id) => ids.has(id)))
        .slice(0, PAGES_AT_ONCE);
      const [waiting, ...found] = await Promise.all([
        isPlain
          ? client.requests.list({ state: 'parked' }).page({ limit: PAGE, signal: stopped.signal })
          : undefined,
        ...inSight.map(({ cursor, limit }) => list.page({ limit, cursor, signal: stopped.signal })),
      ]);
      if (waiting) parked.value = waiting.items;
      const answered = inSight.map((page, i) => ({ page, answer: found[i] }));
      // From the end, since a page pushes into the one behind it.
      for (const { page, answer } of answered.reverse()) if (answer) replace(page, answer);
      show();
    });

  /** Ends what is being loaded, while the list is not shown. */
  function stop(): void {
    stopped.abort();
    stopped = new AbortController();
  }

  return { rows, parked, all, loading, error, complete, loadMore, refresh, stop, scrollTop: 0 };
}

/** `scrollTop` is where the viewer left the list, px. */
export type RequestStore = ReturnType<typeof createRequestStore>;
