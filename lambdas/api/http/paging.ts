import type { RowKey } from '../../domain/work.ts';

/** A row in a list, and its position there. */
export type ListEntry = { readonly position: string; readonly key: RowKey };

/** Candidates of a list, each with its position, from after a position. */
type Scan<E extends { readonly position: string }> = (
  after: string | undefined,
  limit: number,
) => Promise<{ entries: E[]; more: boolean }>;

export type ItemPage<T> = { readonly items: T[]; readonly next?: string };

/** Candidates per call; a filter that matches little goes on with the cursor. */
const MAX_CANDIDATES = 1_000;
/** Candidates per scan while a filter leaves some out. */
const FILTERED_SCAN = 200;
/** Bytes of a page. Lambda answers with 6 MB, in which the body is a string within JSON, at most twice as long. */
const MAX_PAGE_BYTES = 2_500_000;

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
  /** Whether `show` leaves out many, so that more candidates than a page has are scanned at a time. */
  filtered: boolean;
  maxCandidates?: number;
}): Promise<ItemPage<T>> {
  const { scan, show, limit, filtered, maxCandidates = MAX_CANDIDATES } = options;
  const items: T[] = [];
  let position = options.after;
  let bytes = 0;
  for (let seen = 0; seen < maxCandidates; ) {
    // One more than wanted says whether there is a next page; it is not looked at.
    const { entries, more } = await scan(position, filtered ? FILTERED_SCAN : limit + 1);
    const candidates = filtered ? entries : entries.slice(0, limit);
    seen += entries.length;
    const shown = await show(candidates);
    for (const [i, entry] of candidates.entries()) {
      const item = shown[i];
      if (item !== undefined) {
        bytes += bytesOf(item);
        const isFull = items.length === limit || (bytes > MAX_PAGE_BYTES && items.length > 0);
        if (isFull) return { items, next: position };
        items.push(item);
      }
      position = entry.position;
    }
    const left = more || candidates.length < entries.length;
    if (!left) return { items };
    if (!filtered && items.length === limit) return { items, next: position };
  }
  return { items, next: position };
}

/** The last of the items that one answer has room for, in their order. */
export function lastThatFit<T>(items: readonly T[]): T[] {
  let bytes = 0;
  let first = items.length;
  while (first > 0) {
    bytes += bytesOf(items[first - 1]);
    if (bytes > MAX_PAGE_BYTES) break;
    first--;
  }
  return items.slice(first);
}

const bytesOf = (item: unknown): number => Buffer.byteLength(JSON.stringify(item));
