import { beforeEach, expect, test } from 'vitest';
import type { BridgeEvent, Client } from '../../../client/client.ts';
import { createEventStream } from '../../../console/events/event-stream.ts';

let stored: BridgeEvent[];
let pages: number;
let types: (string | undefined)[];

/** Observes one more event every minute. */
const observe = (count: number): void => {
  for (let n = 0; n < count; n++) {
    const timestamp = new Date(stored.length * 60_000).toISOString();
    stored.unshift({ id: `msg_${String(stored.length).padStart(6, '0')}`, timestamp } as BridgeEvent);
  }
};

/** The list of events as the API gives it, page by page. */
function client(): Client {
  const list = ({ type, since = '' }: { type?: string; since?: string }) => {
    types.push(type);
    return {
      async *pages({ limit = 50 } = {}) {
        const found = stored.filter(({ timestamp }) => timestamp >= since);
        for (let from = 0; from === 0 || from < found.length; from += limit) {
          pages++;
          yield { items: found.slice(from, from + limit) };
        }
      },
    };
  };
  return { events: { list } } as unknown as Client;
}

const { signal } = new AbortController();

beforeEach(() => {
  stored = [];
  pages = 0;
  types = [];
});

test('begins with the newest events, and adds what is observed since, however many', async () => {
  observe(200);
  const stream = createEventStream(client(), '');
  await stream.look(signal);
  expect(stream.events.value).toEqual(stored.slice(0, 50));
  observe(120);
  await stream.look(signal);
  expect(stream.events.value).toEqual(stored.slice(0, 170));
});

test('reads one page while nothing happens, and leaves the list as it is', async () => {
  observe(60);
  const stream = createEventStream(client(), 'video.*');
  await stream.look(signal);
  const before = stream.events.value;
  await stream.look(signal);
  expect([pages, types]).toEqual([2, ['video.*', 'video.*']]);
  expect(stream.events.value).toBe(before);
});

test('keeps the newest five hundred', async () => {
  const stream = createEventStream(client(), '');
  await stream.look(signal);
  observe(40);
  await stream.look(signal);
  observe(700);
  await stream.look(signal);
  expect(stream.events.value).toEqual(stored.slice(0, 500));
});
