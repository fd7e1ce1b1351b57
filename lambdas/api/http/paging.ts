/** Candidates of a list, each with its place, from after a place. */
export type Scan<E extends { readonly position: string }> = (
  after: string | undefined,
  limit: number,
) => Promise<{ entries: E[]; more: boolean }>;

export type ItemPage<T> = { readonly items: T[]; readonly next?: string };

/** Scans per call; a filter that matches little goes on with the cursor. */
const MAX_SCANS = 10;
/** Candidates per scan while a filter leaves some out. */
const FILTERED_SCAN = 100;

/**
 * Collects a page: scans candidates and shows them, passing over those that `show` has nothing for.
 * A page may come out short, or empty, and still have a `next`.
 */
export async function collectPage<E extends { readonly position: string }, T>(options: {
  scan: Scan<E>;
  /** What to show of each candidate, in the same order; undefined for what the filter leaves out. */
  show: (entries: readonly E[]) => Promise<(T | undefined)[]> | (T | undefined)[];
  limit: number;
  after: string | undefined;
  filtered: boolean;
}): Promise<ItemPage<T>> {
  const { scan, show, limit, filtered } = options;
  const items: T[] = [];
  let position = options.after;
  for (let scans = 0; scans < MAX_SCANS; scans++) {
    // One more than wanted tells whether there is a next page.
    const { entries, more } = await scan(position, filtered ? FILTERED_SCAN : limit + 1);
    const shown = await show(entries);
    for (const [i, entry] of entries.entries()) {
      const item = shown[i];
      if (item !== undefined) {
        if (items.length === limit) return { items, next: position };
        items.push(item);
      }
      position = entry.position;
    }
    if (!more) return { items };
  }
  return { items, next: position };
}
