import {
  ApiError,
  type BridgeEvent,
  type Client,
  type Delivery,
  type Timeline,
  type VideoRequest,
} from '../../client/client.ts';
import type { throughOutages } from '../command/through-outages.ts';

/** A line of an export. */
type ExportRecord =
  | {
      readonly kind: 'request';
      readonly request: VideoRequest;
      readonly timeline: Pick<Timeline, 'statuses' | 'observations' | 'polls' | 'copy'>;
    }
  | { readonly kind: 'event'; readonly event: BridgeEvent }
  | { readonly kind: 'delivery'; readonly delivery: Delivery };

/** Requests of the bridge, some at a time. */
type ExportPage = {
  readonly requests: readonly VideoRequest[];
  /** Where the next page begins; undefined after the last. */
  readonly next: string | undefined;
};

type Selection = {
  /** Of the registration, ISO 8601; the end is not included. */
  readonly since: string | undefined;
  readonly until: string;
  /** These alone. */
  readonly ids: readonly string[];
};

/** Few, since what a killed export has of a page is read again. */
const PAGE = 20;
const AT_ONCE = 5;

/**
 * The selected requests, the newest first, or in the order of their ids.
 *
 * @param call repeats a call while the bridge is away
 */
export async function* exportPages(
  bridge: Client,
  { since, until, ids }: Selection,
  from: string | undefined,
  call: ReturnType<typeof throughOutages>,
): AsyncGenerator<ExportPage> {
  if (ids.length > 0) {
    for (let at = Number(from ?? 0); at < ids.length; at += PAGE) {
      const some = ids.slice(at, at + PAGE);
      const requests = await call(() => Promise.all(some.map((id) => bridge.requests.get(id))));
      yield { requests, next: at + PAGE < ids.length ? String(at + PAGE) : undefined };
    }
    return;
  }
  for (let position = from, isLast = false; !isLast; ) {
    const { items, cursor } = await call(() =>
      bridge.requests.list().page({ limit: PAGE, cursor: position }),
    );
    const requests = items.filter(
      ({ registeredAt }) => registeredAt < until && !(since && registeredAt < since),
    );
    const isPast = since !== undefined && items.some(({ registeredAt }) => registeredAt < since);
    position = isPast ? undefined : cursor;
    isLast = position === undefined;
    yield { requests, next: position };
  }
}

/**
 * The records of requests: for each its line, its events, and the deliveries of its last 100 events. A request that was
 * erased since has none.
 */
export async function recordsOf(bridge: Client, requests: readonly VideoRequest[]): Promise<ExportRecord[]> {
  const records: ExportRecord[] = [];
  for (let at = 0; at < requests.length; at += AT_ONCE) {
    const group = requests.slice(at, at + AT_ONCE);
    records.push(...(await Promise.all(group.map((each) => recordsOfRequest(bridge, each)))).flat());
  }
  return records;
}

async function recordsOfRequest(bridge: Client, request: VideoRequest): Promise<ExportRecord[]> {
  try {
    const [timeline, events] = await Promise.all([
      bridge.requests.timeline(request.requestId),
      eventsOf(bridge, request.requestId),
    ]);
    const { statuses, observations, polls, copy, deliveries } = timeline;
    return [
      { kind: 'request', request, timeline: { statuses, observations, polls, copy } },
      ...events.map((event) => ({ kind: 'event', event }) as const),
      ...deliveries.map((delivery) => ({ kind: 'delivery', delivery }) as const),
    ];
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

async function eventsOf(bridge: Client, requestId: string): Promise<BridgeEvent[]> {
  const events: BridgeEvent[] = [];
  for await (const event of bridge.requests.events(requestId)) events.push(event);
  return events;
}
