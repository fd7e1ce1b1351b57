import { expect, test } from 'vitest';
import { pollWorld } from '../lambdas/poll/poll-world.ts';
import { useDatabase } from '../support/dynamodb.ts';

const database = useDatabase();

// https://github.com/openclaw/clawhub/issues/407: a server put a time since 1970 into `Retry-After`, and
// clients took it for seconds.
test('a Retry-After that is a time since 1970 pauses polling until that time, and a huge one for 15 minutes', async () => {
  const { clock, topaz, register, pause } = await pollWorld(database());
  const answerWith = (retryAfter: number | string) =>
    topaz.post('/_sim/faults', { faults: [{ at: 'status', kind: 'http', status: 429, retryAfter }] });
  const start = clock.now();
  await answerWith(Math.ceil(start / 1000) + 60);
  const request = await register();
  await request.poll();
  expect((await pause())?.until).toBeLessThanOrEqual(start + 61_000);

  clock.advance(65_000);
  for (const huge of [86_400, 'Wed, 23 Nov 2099 20:00:00 GMT', 'Mon Nov 23 20:00:00 2099', '60, 86400']) {
    await answerWith(huge);
    const probeAt = clock.now();
    await (await register()).poll();
    expect((await pause())?.until).toBe(probeAt + 900_000);
    clock.advance(905_000);
  }
});
