import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useSearch } from 'wouter-preact';
import { navigate } from 'wouter-preact/use-browser-location';

/** Changes parameters of the page's address, without an entry in the history; an empty value removes one. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const search = query.size > 0 ? `?${query}` : '';
  if (search !== location.search) navigate(location.pathname + search, { replace: true });
}

/** A signal whose value stands in the page's address, so that a reload or a shared link shows the same. */
export function useInQuery<T extends string>(name: string, initial: T): Signal<T> {
  const inAddress = (new URLSearchParams(useSearch()).get(name) ?? initial) as T;
  const value = useSignal(inAddress);
  useEffect(() => {
    // A link to the same page changes the address alone.
    value.value = inAddress;
  }, [inAddress]);
  useSignalEffect(() => setQuery({ [name]: value.value === initial ? '' : value.value }));
  return value;
}
