import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ApiClient } from '../../local/api-client.ts';
import type { PutEvent } from '../../local/aws/stubs.ts';
import { type Bridge, startBridge } from '../../local/bridge.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';

const MAX_WAIT = { timeout: 60_000, interval: 100 };
const put: PutEvent[] = [];
let bridge: Bridge;
let api: ApiClient;

beforeAll(async () => {
  bridge = await startBridge({
    templateDir: await synthesize({ eventBusName: 'videos' }),
    tickSeconds: 1,
    onEvent: (event) => put.push(event),
  });
  api = new ApiClient(bridge.apiUrl, bridge.apiKey);
}, 120_000);
afterAll(() => bridge?.stop());

/** A new endpoint, and the id of a test event on its way to it. */
async function tested(given: object) {
  const endpoint = await api.post<{ id: string; secret: string }>('/v1/endpoints', given);
  const { eventId } = await api.post<{ eventId: string }>(`/v1/endpoints/${endpoint.id}/test`, {});
  return { ...endpoint, eventId };
}

test('an eventbridge endpoint puts its events on the bus that the deployment allows', {
  timeout: 90_000,
}, async () => {
  const { eventId } = await tested({ kind: 'eventbridge', busName: 'videos' });
  await vi.waitFor(() => expect(put).toHaveLength(1), MAX_WAIT);
  expect(put[0]).toMatchObject({ EventBusName: 'videos', DetailType: 'endpoint.test' });
  expect(JSON.parse(put[0]?.Detail ?? '{}')).toMatchObject({ id: eventId });
});

test('a pull client fetches signed messages until it acknowledges them', { timeout: 90_000 }, async () => {
  const { id, secret, eventId } = await tested({ kind: 'pull' });
  type Messages = { items: { headers: Record<string, string>; body: string }[] };
  const fetched = () => api.get<Messages>(`/v1/endpoints/${id}/messages`);
  await vi.waitFor(async () => expect((await fetched()).items).toHaveLength(1), MAX_WAIT);
  for (const { headers, body } of (await fetched()).items) {
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ id: eventId });
  }
  const ack = { ids: [eventId] };
  expect(await api.post(`/v1/endpoints/${id}/messages/ack`, ack)).toEqual({ acknowledged: 1 });
  expect(await fetched()).toEqual({ items: [] });
});
