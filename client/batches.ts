import type { Registration } from './types.ts';

/** What one call of the batch route takes. */
export const MAX_BATCH = 100;
/** The route takes 1 MiB; the frame around the items is in what is left over. */
const MAX_BYTES = 1_040_000;

const encoder = new TextEncoder();

/**
 * Groups items as calls of the batch route take them.
 *
 * @param most how many of them in each, at most 100
 * @param registrationOf what is sent of an item
 */
export async function* batchesOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  registrationOf: (item: T) => Registration,
  most = MAX_BATCH,
): AsyncGenerator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  const full = () => {
    const whole = batch;
    batch = [];
    bytes = 0;
    return whole;
  };
  for await (const item of items) {
    const length = encoder.encode(JSON.stringify(registrationOf(item))).length + 1;
    if (batch.length > 0 && bytes + length > MAX_BYTES) yield full();
    batch.push(item);
    bytes += length;
    if (batch.length >= most) yield full();
  }
  if (batch.length > 0) yield batch;
}
