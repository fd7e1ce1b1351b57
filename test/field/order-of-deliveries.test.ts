import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Due } from '../../lambdas/domain/work.ts';
import { deliveryWorld, type Posted } from '../lambdas/deliver/delivery-world.ts';
import { useDatabase } from '../support/dynamodb.ts';
import { settle } from '../support/lagging-reads.ts';

const database = useDatabase();
const sequenceOf = ({ body }: Posted): number => JSON.parse(body).data.sequence;
const requestOf = ({ body }: Posted): string => JSON.parse(body).data.requestId;

// https://github.com/Shopify/shopify-app-js/issues/603: an update came a moment before what it updates was created.
test('the events of one commit are first attempted in sequence order', async () => {
  const world = await deliveryWorld(database());
  await world.endpoint(1);
  const { observe } = await world.request();
  await observe('video.requested', 'video.accepted', 'video.processing', 'video.complete');
  await world.invoke('dispatch', await world.due('dispatch'));
  settle();
  await world.work();
  expect(world.posted.map(sequenceOf)).toEqual([1, 2, 3, 4]);
});

test('rows of one endpoint that share an invocation go out one at a time, other endpoints beside them', async () => {
  const world = await deliveryWorld(database());
  const [one, two] = [await world.endpoint(1), await world.endpoint(2)];
  const { observe } = await world.request();
  await observe('video.requested', 'video.accepted', 'video.processing');
  await world.invoke('dispatch', await world.due('dispatch'));

  const underWay = new Set<string>();
  let doubled = false;
  let meet = () => {};
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  world.farSide = async ({ url }) => {
    doubled ||= underWay.has(url);
    underWay.add(url);
    if (underWay.size === 2) meet();
    // None is answered before both endpoints are being sent to, and others had their chance.
    await met;
    await setImmediate();
    underWay.delete(url);
    return 204;
  };
  await world.invoke('deliver', await world.due('deliver'));
  expect(doubled).toBe(false);
  for (const { url } of [one, two]) {
    const sent = world.posted.filter((post) => post.url === url);
    expect(sent.map(sequenceOf)).toEqual([1, 2, 3]);
  }
});

// https://github.com/paypal/mirakl-hyperwallet-connector/issues/35: a webhook came after the one that overtook it, and
// its receiver took the older state for the newer.
test('an ordered endpoint gets an event only after the one before is final, for that request only', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { ordered: true });
  const [first, second] = [await world.request(), await world.request()];
  world.farSide = (post) => (requestOf(post) === first.requestId && sequenceOf(post) === 1 ? 500 : 204);
  await first.observe('video.accepted', 'video.processing');
  await second.observe('video.accepted');
  await world.pass(10);
  const firstSent = world.posted.map((post) => [requestOf(post) === first.requestId, sequenceOf(post)]);
  expect(firstSent.toSorted()).toEqual([
    [false, 1],
    [true, 1],
  ]);
  await first.observe('video.complete');
  await world.pass(60_000);
  const mine = () => world.posted.filter((post) => requestOf(post) === first.requestId).map(sequenceOf);
  expect(mine()).toEqual([1, 1]);

  world.farSide = () => 204;
  await world.pass(400_000);
  expect(mine()).toEqual([1, 1, 1, 2, 3]);
  const states = (await world.deliveries(endpoint)).map(({ state }) => state);
  expect(states).toEqual(Array(4).fill('delivered'));
});

test('a predecessor that failed for good lets the next one go', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { ordered: true });
  const { observe } = await world.request();
  world.farSide = (post) => (sequenceOf(post) === 1 ? 500 : 204);
  await observe('video.accepted', 'video.processing');
  await world.pass(4 * 86_400_000);
  expect((await world.deliveries(endpoint)).map(({ state }) => state)).toEqual(['failed', 'delivered']);
});

test('the cancellation of a predecessor lets its successor go, when the endpoint was named again', async () => {
  const world = await deliveryWorld(database());
  const endpoint = await world.endpoint(1, { ordered: true });
  const { observe } = await world.request();
  world.farSide = () => 500;
  await observe('video.accepted');
  await world.work();
  const order = await world.namedAgain(endpoint);
  await observe('video.processing');
  await world.invoke('dispatch', await world.due('dispatch'));
  await world.invoke('deliver', (await world.deliveries(endpoint)).slice(1) as Due[]);
  const [first, second] = await world.deliveries(endpoint);
  expect(first).toMatchObject({ state: 'pending', successor: second?.eventId });
  expect(second?.lane).toBeUndefined();
  const waits = { deliveryId: second?.id, predecessor: first?.eventId };
  expect(world.lines.at(-1)).toMatchObject(['waits', waits]);

  world.farSide = () => 204;
  await world.invoke(order.lane, [order]);
  await world.work();
  expect((await world.deliveries(endpoint)).map(({ state }) => state)).toEqual(['canceled', 'delivered']);
  expect(world.lines.slice(-2)).toMatchObject([
    ['canceled', { deliveryId: first?.id }],
    ['attempted', { deliveryId: second?.id }],
  ]);
});

test('whatever fails and whenever events come, an ordered endpoint sees first successes in order', async () => {
  const step = fc.record({
    events: fc.integer({ min: 0, max: 3 }),
    pass: fc.integer({ min: 0, max: 400_000 }),
    fails: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const world = await deliveryWorld(database());
      const endpoint = await world.endpoint(1, { ordered: true });
      const { observe } = await world.request();
      const succeeded: number[] = [];
      let failing = false;
      world.farSide = (post) => {
        if (failing) return 500;
        succeeded.push(sequenceOf(post));
        return 204;
      };
      for (const { events, pass, fails } of steps) {
        failing = fails;
        if (events > 0) await observe(...Array<'video.processing'>(events).fill('video.processing'));
        await world.pass(pass);
      }
      failing = false;
      await world.pass(86_400_000);
      const all = steps.reduce((sum, { events }) => sum + events, 0);
      expect(succeeded).toEqual(Array.from({ length: all }, (_, i) => i + 1));
      expect((await world.deliveries(endpoint)).every(({ state }) => state === 'delivered')).toBe(true);
    }),
    { numRuns: 15 },
  );
}, 120_000);
