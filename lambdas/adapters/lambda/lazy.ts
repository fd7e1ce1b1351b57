/**
 * A function whose code is loaded by its first call: for code that few invocations need, since every cold start pays for
 * what is loaded with the bundle. After a failed load the next call tries again.
 */
export function lazy<A extends unknown[], R>(
  load: () => Promise<(...args: A) => Promise<R>>,
): (...args: A) => Promise<R> {
  let loaded: ReturnType<typeof load> | undefined;
  return async (...args) => {
    loaded ??= load();
    const fn = await loaded.catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return fn(...args);
  };
}
