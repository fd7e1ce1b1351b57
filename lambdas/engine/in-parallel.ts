/**
 * Runs `each` over the items, at most `width` at a time; the results are in the order of the items. After an error it
 * begins no more, and throws the first when all that is under way has ended: nothing goes on behind the caller.
 */
export async function inParallel<I, R>(
  items: readonly I[],
  width: number,
  each: (item: I) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const errors: unknown[] = [];
  let next = 0;
  const runner = async () => {
    for (let i = next++; i < items.length && errors.length === 0; i = next++) {
      try {
        results[i] = await each(items[i] as I);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, runner));
  if (errors.length > 0) throw errors[0];
  return results;
}
