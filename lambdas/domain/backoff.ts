/** How waits grow: the first and the longest, ms, and the factor from one to the next (2 by default). */
type Backoff = { readonly firstMs: number; readonly longestMs: number; readonly factor?: number };

/** How long to wait after a number of failures in a row, counted from 1, ms. */
export const backoff = (failures: number, { firstMs, longestMs, factor = 2 }: Backoff): number =>
  Math.min(longestMs, firstMs * factor ** Math.max(0, failures - 1));

/** How long to wait before the next check of a state that has lasted `lastedMs`: a quarter of that, within bounds. */
export const checkWait = (lastedMs: number, { firstMs, longestMs }: Omit<Backoff, 'factor'>): number =>
  Math.min(longestMs, Math.max(firstMs, lastedMs / 4));
