import { EVENT_TYPES } from './event-types.ts';

/** An event type, or a prefix with `.*` (`video.*`). */
export type EventFilter = readonly string[];

export function matches(filter: EventFilter, type: string): boolean {
  return filter.some((entry) =>
    entry.endsWith('.*') ? type.startsWith(entry.slice(0, -1)) : entry === type,
  );
}

/** Whether one of the filters matches `progress.updated`, which polls look for only then. */
export const asksForProgress = (audience: readonly { readonly events: EventFilter }[]): boolean =>
  audience.some(({ events }) => matches(events, 'progress.updated'));

/** Whether a filter entry can match any event at all. */
export function isFilterEntry(entry: string): boolean {
  return EVENT_TYPES.some((type) => matches([entry], type));
}

/** Equal filters, whatever the order of their entries. */
export function sameFilter(a: EventFilter, b: EventFilter): boolean {
  const entries = new Set(a);
  return entries.size === new Set(b).size && b.every((entry) => entries.has(entry));
}
