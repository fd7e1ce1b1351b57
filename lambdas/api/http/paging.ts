/** Candidates of a list, each with its place, from after a place. */
export type Scan<E extends { readonly position: string }> = (
  after: string | undefined,
  limit: number,
) => Promise<{ entries: E[]; more: boolean }>;

export type ItemPage<T> = { readonly items: T[]; readonly next?: string };

/** Candidates per call; a filter that matches little goes on with the cursor. */
const MAX_CANDIDATES = 1_000;
/** Candidates per scan while a filter leaves some out. */
const FILTERED_SCAN = 200;
/** Bytes of a page, well below the 6 MB that Lambda answers with, in which a body is a string within JSON. */
const MAX_PAGE_BYTES = 4_000_000;

/**
 * Collects a page: scans candidates and shows them, passing over those that `show` has nothing for.
 * A page may come out short, or empty, and still have a `next`; it ends before it has too many bytes.
 */
export async function collectPage<E extends { readonly position: string }, T>(options: {
  scan: Scan<E>;
  /** What to show of each candidate, in the same order; undefined for what the filter leaves out. */
  show: (entries: readonly E[]) => Promise<(T | undefined)[]> | (T | undefined)[];
  limit: number;
  after: string | undefined;
  filtered: boolean;
  maxCandidates?: number;
}): Promise<ItemPage<T>> {
  const { scan, show, limit, filtered, maxCandidates = MAX_CANDIDATES } = options;
  const items: T[] = [];
  let position = options.after;
  let bytes = 0;
  for (let seen = 0; seen < maxCandidates; ) {
    // One more than wanted tells whether there is a next page.
    const { entries, more } = await scan(position, filtered ? FILTERED_SCAN : limit + 1);
    seen += entries.length;
    const shown = await show(entries);
    for (const [i, entry] of entries.entries()) {
      const item = shown[i];
      if (item !== undefined) {
        bytes += bytesOf(item);
        const isFull = items.length === limit || (bytes > MAX_PAGE_BYTES && items.length > 0);
        if (isFull) return { items, next: position };
        items.push(item);
      }
      position = entry.position;
    }
    if (!more) return { items };
  }
  return { items, next: position };
}

const bytesOf = (item: unknown): number => Buffer.byteLength(JSON.stringify(JSON.stringify(item)));
