/** How waits grow: the first and the longest, ms, and by what each is longer than the last (2 by default). */
type Backoff = { readonly firstMs: number; readonly longestMs: number; readonly factor?: number };

/** How long to wait after a number of failures in a row, counted from 1, ms. */
export const backoff = (failures: number, { firstMs, longestMs, factor = 2 }: Backoff): number =>
  Math.min(longestMs, firstMs * factor ** Math.max(0, failures - 1));

/** How long to wait before the next look at what has lasted for `lastedMs`: a quarter of that, within the bounds. */
export const checkWait = (lastedMs: number, { firstMs, longestMs }: Omit<Backoff, 'factor'>): number =>
  Math.min(longestMs, Math.max(firstMs, lastedMs / 4));
