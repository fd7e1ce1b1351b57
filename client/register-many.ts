import { batchesOf } from './batches.ts';
import type { PostOptions } from './exchange.ts';
import { isTransient, MAX_ATTEMPTS } from './retry.ts';
import type { BatchItem, Registration } from './types.ts';

type Batch = (items: readonly Registration[], options: PostOptions) => Promise<{ items: BatchItem[] }>;

/**
 * Registers any number of requests, in batches, one after the other. Gives the result of each as soon as
 * it is known, in the order of the items. A transient failure is tried again.
 */
export async function* registerMany(
  batch: Batch,
  items: Iterable<Registration> | AsyncIterable<Registration>,
  options: PostOptions,
): AsyncGenerator<BatchItem> {
  for await (const group of batchesOf(items, (item) => item)) {
    const results = new Map<number, BatchItem>();
    let open = group.map((item, place) => ({ item, place }));
    for (let attempt = 1; open.length > 0; attempt++) {
      const answer = await batch(
        open.map(({ item }) => item),
        options,
      );
      open.forEach(({ place }, i) => {
        const result = answer.items[i];
        if (result) results.set(place, result);
      });
      if (attempt === MAX_ATTEMPTS) break;
      open = open.filter(({ place }) => isTransient(results.get(place)?.status ?? 500));
    }
    for (const place of group.keys()) {
      const result = results.get(place);
      if (result) yield result;
    }
  }
}
