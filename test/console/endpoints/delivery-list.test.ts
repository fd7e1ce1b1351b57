import { beforeEach, expect, test } from 'vitest';
import type { Client, Delivery } from '../../../client/client.ts';
import { createDeliveryList } from '../../../console/endpoints/delivery-list.ts';

let stored: Delivery[];
let count: number;
let fails: boolean;

/** Sends one more, of an event that is newer than all others. */
function send(): void {
  const number = String(++count).padStart(4, '0');
  stored.unshift({ id: `dlv_${number}`, eventId: `msg_${number}`, state: 'delivered' } as Delivery);
}

/** The deliveries as the API gives them: a cursor names the last one that was given. */
function client(): Client {
  const deliveries = () => ({
    async page({ limit = 50, cursor }: { limit?: number; cursor?: string } = {}) {
      if (fails) throw new Error('away');
      const from = cursor === undefined ? 0 : stored.findIndex(({ id }) => id === cursor) + 1;
      const items = stored.slice(from, from + limit);
      return { items, ...(from + limit < stored.length ? { cursor: items.at(-1)?.id } : {}) };
    },
  });
  return { endpoints: { deliveries } } as unknown as Client;
}

const list = () => createDeliveryList(client(), 'ep_1', {});
const shown = ({ found }: ReturnType<typeof list>) => found.value.map(({ id }) => id);
const all = () => stored.map(({ id }) => id);

beforeEach(() => {
  stored = [];
  count = 0;
  fails = false;
});

test('new deliveries come on top of the older ones that were loaded', async () => {
  for (let n = 0; n < 120; n++) send();
  const log = list();
  await log.loadMore();
  await log.loadMore();
  for (let n = 0; n < 30; n++) send();
  await log.refresh();
  expect(shown(log)).toEqual(all().slice(0, 130));
  await log.loadMore();
  expect(shown(log)).toEqual(all());
  expect(log.complete.value).toBe(true);
});

test('of more new deliveries than a page holds, none is left out', async () => {
  for (let n = 0; n < 60; n++) send();
  const log = list();
  await log.loadMore();
  for (let n = 0; n < 75; n++) send();
  await log.refresh();
  while (!log.complete.value) await log.loadMore();
  expect(shown(log)).toEqual(all());
});

test('a list whose first load failed is loaded by the next look', async () => {
  for (let n = 0; n < 3; n++) send();
  const log = list();
  fails = true;
  await log.loadMore();
  expect(log.error.value).toBeInstanceOf(Error);
  fails = false;
  await log.refresh();
  expect(shown(log)).toEqual(all());
  expect([log.complete.value, log.error.value]).toEqual([true, undefined]);
});
