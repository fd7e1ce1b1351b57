import { beforeEach, expect, test } from 'vitest';
import { type EventDraft, numberEvents } from '../../../../lambdas/domain/events/event.ts';
import type { EventSource } from '../../../../lambdas/domain/ids.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { type Client, createClient, READER, uuid } from '../call-api.ts';

const database = useDatabase();
let api: Client;
let tests = 0;

/** Each test is an hour later, since they share the list. */
beforeEach(() => {
  api = createClient(database(), { startAt: Date.UTC(2026, 10, 23, tests++) });
});

/** Observes an event of each type, the first of the source, a second apart. */
async function observe(source: EventSource, ...types: EventDraft['type'][]): Promise<void> {
  const drafts = types.map((type) => ({ type, data: {} }));
  for (const [position, draft] of drafts.entries()) {
    const last = { sequence: position, position };
    const { rows } = numberEvents(source, last, [draft], api.clock.now);
    for (const put of rows) await database().table.write({ put });
    api.clock.now += 1_000;
  }
}

async function register(words: string): Promise<EventSource> {
  const requestId = uuid(words);
  await api.call('POST', '/v1/requests', { body: { requestId, metadata: { order: words } } });
  return { kind: 'request', requestId };
}

async function createEndpoint(): Promise<EventSource> {
  const { body } = await api.call('POST', '/v1/endpoints', { body: { kind: 'pull' } });
  return { kind: 'endpoint', endpointId: body.id };
}

const typesOf = async (query: string) =>
  (await api.call('GET', `/v1/events?${query}`)).body.items.map(({ type }: { type: string }) => type);

test('events of all requests and endpoints come newest first, as they are sent', async () => {
  const from = new Date(api.clock.now).toISOString();
  const first = await register('41');
  const second = await register('42');
  await observe(first, 'video.requested', 'video.accepted');
  await observe(await createEndpoint(), 'endpoint.disabled');
  await observe(second, 'video.requested');
  const { status, body } = await api.call('GET', `/v1/events?since=${from}`, { key: READER });
  expect(status).toBe(200);
  expect(body.items).toMatchObject([
    { type: 'video.requested', data: { sequence: 1, metadata: { order: '42' } } },
    { type: 'endpoint.disabled', data: { endpointId: expect.stringMatching(/^ep_/) } },
    { type: 'video.accepted', data: { sequence: 2, metadata: { order: '41' } } },
    { type: 'video.requested', data: { sequence: 1, metadata: { order: '41' } } },
  ]);
  const [newest] = body.items;
  expect((await api.call('GET', `/v1/events/${newest.id}`)).body).toEqual(newest);
});

test('a page goes on where the one before ended, also when newer events came meanwhile', async () => {
  const source = await register('paged');
  await observe(source, 'video.requested', 'video.accepted', 'video.processing');
  const page = (await api.call('GET', '/v1/events?limit=2')).body;
  await observe(await register('newer'), 'video.requested');
  const next = (await api.call('GET', `/v1/events?limit=2&cursor=${page.cursor}`)).body;
  expect([...page.items, next.items[0]].map(({ type }) => type)).toEqual([
    'video.processing',
    'video.accepted',
    'video.requested',
  ]);
});

test('the list can be narrowed to a type, a prefix and a range of time', async () => {
  const from = api.clock.now;
  const time = (ms: number) => new Date(from + ms).toISOString();
  await observe(await register('narrowed'), 'video.requested', 'video.accepted');
  await observe(await createEndpoint(), 'endpoint.disabled');
  expect(await typesOf(`since=${time(0)}&type=video.*`)).toEqual(['video.accepted', 'video.requested']);
  expect(await typesOf(`since=${time(0)}&type=endpoint.disabled`)).toEqual(['endpoint.disabled']);
  expect(await typesOf(`since=${time(1_000)}&until=${time(2_000)}`)).toEqual(['video.accepted']);
});

test('nothing is listed of a request that is purged', async () => {
  const source = await register('purged');
  const from = new Date(api.clock.now).toISOString();
  await observe(source, 'video.requested');
  await api.call('DELETE', `/v1/requests/${uuid('purged')}?purge=true`);
  expect(await typesOf(`since=${from}`)).toEqual([]);
});
