import { expect, test } from 'vitest';
import { MAX_RETRY_AFTER_MS } from '../../lambdas/domain/delivering/retry-schedule.ts';
import { wake } from '../../lambdas/engine/wake.ts';
import { deliveryWorld } from '../lambdas/deliver/delivery-world.ts';
import { useDatabase } from '../support/dynamodb.ts';

const database = useDatabase();

// https://github.com/openclaw/clawhub/issues/407: a Retry-After that is a time since 1970, not a number of seconds.
test.each([
  ['a time since 1970', (now: number) => String(Math.floor(now / 1_000) + 600), 600_000],
  ['a far time', () => '99999999999', MAX_RETRY_AFTER_MS],
  ['a date in 2099', () => 'Wed, 23 Nov 2099 20:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['several values', () => '60, 600', 600_000],
  ['fractions of a second', () => '7.5', 7_500],
])(
  'a receiver that asks for a pause by %s gets it, for a day at most, and a person can end it',
  async (_what, header, wait) => {
    const world = await deliveryWorld(database());
    const endpoint = await world.endpoint(1);
    world.farSide = ({ at }) => ({ statusCode: 429, headers: { 'retry-after': header(at) } });
    await (await world.request()).observe('video.accepted');
    await world.work();
    const now = world.clock.now();
    const [pending] = await world.deliveries(endpoint);
    expect(pending?.dueAt).toBeGreaterThan(now + wait - 1_000);
    expect(pending?.dueAt).toBeLessThanOrEqual(now + Math.max(wait, 5_000));

    world.farSide = () => 204;
    await world.table.write(wake(pending!, 'deliver', now, { set: { bypassesBreaker: true } }).write);
    await world.pass(1_000);
    expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'delivered', attemptCount: 2 }]);
  },
);
