/** Values that are each read once until they are forgotten. A read that fails is made again by the next call. */
export function readOnce<T>() {
  const known = new Map<string, Promise<T>>();

  function of(key: string, read: () => Promise<T>): Promise<T> {
    const value = known.get(key) ?? read();
    known.set(key, value);
    value.catch(() => {
      if (known.get(key) === value) known.delete(key);
    });
    return value;
  }

  return { of, forget: (key: string) => void known.delete(key), forgetAll: () => known.clear() };
}
