/** Runs `each` over the items, at most `width` at a time; the results are in the order of the items. */
export async function inParallel<I, R>(
  items: readonly I[],
  width: number,
  each: (item: I) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const runner = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await each(items[i] as I);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, runner));
  return results;
}
