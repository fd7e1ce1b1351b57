import { beforeEach, expect, test } from 'vitest';
import type { Client, RequestFilter, VideoRequest } from '../../../client/client.ts';
import { createRequestStore } from '../../../console/requests/request-store.ts';

/** Items that one answer looks through, like the API with a filter. */
const LOOKED_THROUGH = 200;
let stored: VideoRequest[];
let count: number;
let fails: boolean;

/** Registers one more, which is newer than all others. */
function register(status = 'processing'): string {
  count++;
  const registeredAt = new Date(count * 1_000).toISOString();
  const requestId = `request-${count}`;
  stored.unshift({ requestId, registeredAt, status, state: 'active' } as VideoRequest);
  return requestId;
}

function change(requestId: string, status: string): void {
  stored = stored.map((each) => (each.requestId === requestId ? { ...each, status } : each));
}

/** The list of requests as the API gives it: a cursor names the last item that was looked at. */
function client(): Client {
  const list = ({ status, state }: RequestFilter = {}) => ({
    async page({ limit = 50, cursor }: { limit?: number; cursor?: string } = {}) {
      if (fails) throw new Error('away');
      const from = cursor === undefined ? 0 : stored.findIndex(({ requestId }) => requestId === cursor) + 1;
      const items: VideoRequest[] = [];
      let at = from;
      for (; at < stored.length && items.length < limit && at - from < LOOKED_THROUGH; at++) {
        const each = stored[at]!;
        if ((!status || each.status === status) && (!state || each.state === state)) items.push(each);
      }
      return { items, ...(at < stored.length ? { cursor: stored[at - 1]!.requestId } : {}) };
    },
  });
  return { requests: { list } } as unknown as Client;
}

const store = (filter: RequestFilter = {}) => createRequestStore(client(), filter);
const shown = ({ all }: ReturnType<typeof store>) => all.value.map(({ requestId }) => requestId);
const statusOf = ({ all }: ReturnType<typeof store>, id: string) =>
  all.value.find(({ requestId }) => requestId === id)?.status;

beforeEach(() => {
  stored = [];
  count = 0;
  fails = false;
});

test('what new requests push out of the first page is kept, and kept up to date where it is seen', async () => {
  const old = Array.from({ length: 70 }, () => register()).at(-40) ?? '';
  const requests = store();
  await requests.loadMore();
  for (let n = 0; n < 60; n++) register();
  await requests.refresh([]);
  change(old, 'complete');
  await requests.refresh([old]);
  expect(statusOf(requests, old)).toBe('complete');
  await requests.loadMore();
  expect(shown(requests)).toHaveLength(130);
});

test('of a filtered list, what matches no more goes, and what was only pushed out of its page stays', async () => {
  const ids = Array.from({ length: 60 }, () => register());
  const requests = store({ status: 'processing' });
  await requests.loadMore();
  change(ids[59] ?? '', 'complete');
  for (let n = 0; n < 5; n++) register();
  await requests.refresh(ids);
  expect(shown(requests)).not.toContain(ids[59]);
  expect(shown(requests)).toEqual(expect.arrayContaining(ids.slice(10, 59)));
});

test('what is erased goes from the list', async () => {
  const ids = [register(), register(), register()];
  const requests = store();
  await requests.loadMore();
  stored = stored.filter(({ requestId }) => requestId !== ids[1]);
  await requests.refresh([]);
  expect(shown(requests)).toEqual([ids[2], ids[0]]);
});

test('a filter that finds nothing at first goes on with what is older', async () => {
  const sought = register('failed');
  for (let n = 0; n < 3 * LOOKED_THROUGH; n++) register();
  const requests = store({ status: 'failed' });
  while (!requests.complete.value) await requests.loadMore();
  expect(shown(requests)).toEqual([sought]);
  const fresh = register('failed');
  await requests.refresh([]);
  expect(shown(requests)).toEqual([fresh, sought]);
});

test('what did not change is the same as before, so that it is not drawn again', async () => {
  register();
  const requests = store();
  await requests.loadMore();
  const before = requests.rows.value;
  stored = stored.map((each) => ({ ...each }));
  await requests.refresh([]);
  expect(requests.rows.value).toBe(before);
});

test('an error is told until a load succeeds', async () => {
  register();
  const requests = store();
  fails = true;
  await requests.loadMore();
  expect(requests.error.value).toEqual(new Error('away'));
  fails = false;
  await requests.loadMore();
  expect([requests.error.value, shown(requests)]).toEqual([undefined, ['request-1']]);
});
