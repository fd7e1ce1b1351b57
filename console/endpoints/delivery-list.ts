import { signal } from '@preact/signals';
import type { Client, Delivery, DeliveryFilter } from '../../client/client.ts';
import { createLoads } from '../parts/loads.ts';

const PAGE = 50;

/**
 * An endpoint's deliveries of a filter, those of the newest events first, as far as they were loaded. The API
 * filters, so that they are those of all that the endpoint was ever sent.
 */
export function createDeliveryList(client: Client, endpointId: string, filter: DeliveryFilter) {
  const list = client.endpoints.deliveries(endpointId, filter);
  const found = signal<readonly Delivery[]>([]);
  const { loading, error, run } = createLoads();
  /** Whether there are no older ones. */
  const complete = signal(false);
  const stopped = new AbortController();
  let next: string | undefined;

  /** Loads a page of older ones. One that matches may come much later, so this goes on until there are some. */
  const loadMore = () =>
    run(stopped.signal, async () => {
      let added = 0;
      while (added < PAGE && !complete.value) {
        const page = await list.page({ limit: PAGE, cursor: next, signal: stopped.signal });
        const known = new Set(found.value.map(({ id }) => id));
        found.value = [...found.value, ...page.items.filter(({ id }) => !known.has(id))];
        added += page.items.length;
        next = page.cursor;
        complete.value = next === undefined;
      }
    });

  /** Loads the newest ones again. */
  const refresh = () => {
    if (next === undefined && !complete.value) return loadMore();
    return run(stopped.signal, async () => {
      const { items, cursor } = await list.page({ limit: PAGE, signal: stopped.signal });
      const known = new Set(found.value.map(({ id }) => id));
      // More have come than a page holds: those between are loaded as older ones.
      if (cursor !== undefined && items.length > 0 && !items.some(({ id }) => known.has(id))) {
        found.value = items;
        next = cursor;
        complete.value = false;
        return;
      }
      // Ids of events are in the order of time. What is older than this page is left as it was.
      const oldest = items.at(-1)?.eventId;
      const older = found.value.filter(({ eventId }) => oldest === undefined || eventId < oldest);
      found.value = [...items, ...(cursor === undefined ? [] : older)];
    });
  };

  const stop = () => stopped.abort();

  return { found, loading, error, complete, loadMore, refresh, stop };
}

export type DeliveryList = ReturnType<typeof createDeliveryList>;
