import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, expect, test, vi } from 'vitest';
import { createPutEvent } from '../../../lambdas/deliver/put-event.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { deliveryWorld } from './delivery-world.ts';

const database = useDatabase();
afterEach(() => vi.restoreAllMocks());

type Entry = { EventBusName: string; Source: string; DetailType: string; Detail: string; Time: Date };

/** A bus that answers each put with the next of the answers, and then takes all. */
async function setUp(...answers: ('throttled' | 'denied' | 'nothing' | 'never')[]) {
  const entries: Entry[] = [];
  const clocks = { now: () => 1, elapsed: () => 1 };
  const client = {
    send: async ({ input }: { input: { Entries: Entry[] } }, options: { abortSignal: AbortSignal }) => {
      entries.push(...input.Entries);
      const answer = answers.shift();
      if (answer === 'denied')
        throw Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' });
      if (answer === 'never') options.abortSignal.throwIfAborted();
      if (answer === 'nothing') return {};
      return { Entries: [answer ? { ErrorCode: 'ThrottlingException' } : { EventId: '1' }] };
    },
  } as unknown as EventBridgeClient;
  const world = await deliveryWorld(database(), { putEvent: createPutEvent(client, clocks) });
  const endpoint = await world.endpoint(1, { kind: 'eventbridge', url: undefined, busName: 'videos' });
  const { observe } = await world.request();
  await observe('video.complete');
  await world.work();
  return { world, endpoint, entries };
}

test('an event is put on the bus with its type as the detail-type', async () => {
  const { world, endpoint, entries } = await setUp();
  const [delivery] = await world.deliveries(endpoint);
  expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ statusCode: 200 }] });
  expect(entries).toMatchObject([
    { EventBusName: 'videos', Source: 'topaz-video-webhooks', DetailType: 'video.complete' },
  ]);
  expect(JSON.parse(entries[0]!.Detail)).toEqual(JSON.parse(delivery!.body));
  expect(entries[0]!.Time.toISOString()).toBe(JSON.parse(delivery!.body).timestamp);
});

test('a put that fails is tried again like a delivery, with the same id, and named in the log', async () => {
  const { world, endpoint, entries } = await setUp('throttled', 'denied');
  await world.pass(400_000);
  const [delivery] = await world.deliveries(endpoint);
  expect(delivery).toMatchObject({
    state: 'delivered',
    attempts: [{ error: 'ThrottlingException' }, { error: 'AccessDeniedException' }, { statusCode: 200 }],
  });
  expect(new Set(entries.map(({ Detail }) => JSON.parse(Detail).id)).size).toBe(1);
});

test('a bus that does not say that it has the event has not got it', async () => {
  const { world, endpoint } = await setUp('nothing');
  const [delivery] = await world.deliveries(endpoint);
  expect(delivery).toMatchObject({ state: 'pending', attempts: [{ error: 'unknown' }] });
});

test('a bus that does not answer is given up after the 15 s that any attempt has', async () => {
  const timeUp = AbortSignal.abort(new DOMException('time is up', 'TimeoutError'));
  const limit = vi.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(timeUp);
  const { world, endpoint } = await setUp('never');
  expect(limit).toHaveBeenCalledWith(15_000);
  const [delivery] = await world.deliveries(endpoint);
  expect(delivery).toMatchObject({ state: 'pending', attempts: [{ error: 'timeout' }] });
});
