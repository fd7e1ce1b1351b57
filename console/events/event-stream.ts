import { signal } from '@preact/signals';
import type { BridgeEvent, Client } from '../../client/client.ts';

const PAGE = 50;
/** Events that are kept, the newest ones. */
const KEPT = 500;
/** Of a rare type the newest one may come much later: the first look goes so many pages back. */
const FIRST_PAGES = 5;
/** The clocks of workers may differ, and the list shows an event some time after it was written, ms. */
const OVERLAP_MS = 30_000;

/**
 * The events of all requests and endpoints as they are observed, the newest first. Each look reads what came since
 * the one before, by the list's cursor.
 *
 * @param type a type of event, or a prefix with `.*`; empty for all
 */
export function createEventStream(client: Client, type: string) {
  const events = signal<readonly BridgeEvent[]>([]);

  async function look(abort: AbortSignal): Promise<void> {
    const [newest] = events.peek();
    const since = newest && new Date(Date.parse(newest.timestamp) - OVERLAP_MS).toISOString();
    const list = client.events.list({ type: type || undefined, since });
    const known = new Set(events.peek().map(({ id }) => id));
    const fresh: BridgeEvent[] = [];
    let pages = 0;
    for await (const { items } of list.pages({ limit: PAGE, signal: abort })) {
      fresh.push(...items.filter(({ id }) => !known.has(id)));
      pages++;
      const isFirst = since === undefined;
      if (isFirst ? fresh.length > 0 || pages === FIRST_PAGES : fresh.length >= KEPT) break;
    }
    if (fresh.length === 0) return;
    // Ids are in the order of time.
    events.value = [...fresh, ...events.peek()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, KEPT);
  }

  return { events, look };
}
