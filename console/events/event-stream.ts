import { signal } from '@preact/signals';
import type { BridgeEvent, Client, VideoRequest } from '../../client/client.ts';

const KEPT = 500;
/** Requests that are followed: the newest ones. */
export const FOLLOWED = 100;

/**
 * The events of the newest requests, as they are observed. Looks at the requests, and reads of each that moved on
 * what came after the place where it stopped.
 */
export function createEventStream(client: Client) {
  const events = signal<readonly BridgeEvent[]>([]);
  /** The last event that was read of each request, by number. */
  const seen = new Map<string, number>();
  let isFirst = true;

  async function look(abort: AbortSignal): Promise<void> {
    const { items } = await client.requests.list().page({ limit: FOLLOWED, signal: abort });
    const moved = items.filter(({ requestId, sequence }) => sequence > (seen.get(requestId) ?? 0));
    const wanted = isFirst ? moved.slice(0, 10) : moved;
    const found = (await Promise.all(wanted.map((request) => newOf(request, abort)))).flat();
    for (const { requestId, sequence } of items) seen.set(requestId, sequence);
    isFirst = false;
    if (found.length === 0) return;
    const known = new Set(events.peek().map(({ id }) => id));
    events.value = [...found.filter(({ id }) => !known.has(id)), ...events.peek()]
      .sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1))
      .slice(0, KEPT);
  }

  async function newOf({ requestId }: VideoRequest, abort: AbortSignal): Promise<BridgeEvent[]> {
    const from = seen.get(requestId) ?? 0;
    const all: BridgeEvent[] = [];
    for await (const event of client.requests.events(requestId, { signal: abort }))
      if ((event.data.sequence ?? 0) > from) all.push(event);
    return all;
  }

  return { events, look };
}
