/** Every type of event that the bridge sends. */
export const EVENT_TYPES = [
  'video.requested',
  'video.accepted',
  'video.initializing',
  'video.preprocessing',
  'video.processing',
  'video.postprocessing',
  'video.complete',
  'video.canceling',
  'video.canceled',
  'video.failed',
  'video.status_unrecognized',
  'video.stored',
  'video.store_failed',
  'video.unavailable',
  'video.lost',
  'progress.updated',
  'endpoint.test',
  'endpoint.disabled',
  'endpoint.recovered',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An event type, or a prefix with `.*` (`video.*`). */
export type EventFilter = readonly string[];

export function matches(filter: EventFilter, type: string): boolean {
  return filter.some((entry) =>
    entry.endsWith('.*') ? type.startsWith(entry.slice(0, -1)) : entry === type,
  );
}

/** Whether one of the filters matches `progress.updated`, which is observed only for who asks. */
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
