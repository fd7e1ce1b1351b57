import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulators, startEmulators } from './bridge.ts';
import regressions from './regressions.json' with { type: 'json' };
import { playSeed, type RunOptions } from './run.ts';
import { report, tryCase } from './try-case.ts';

/** How long fresh seeds are played, s; longer in CI, and as long as you like by `npm run chaos`. */
const FRESH_S = Number(process.env.CHAOS_SECONDS ?? (process.env.CI ? 60 : 10));
/** The first of them. */
const FRESH_SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000_000);
const TIMEOUT = { timeout: 300_000 + FRESH_S * 1_000 };

let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

async function expectKept(options: RunOptions): Promise<void> {
  const tried = await tryCase(emulators, options);
  if (tried.violations.length > 0) expect.fail(report(tried));
}

test('a seed plays the same run each time', TIMEOUT, async () => {
  const options = { seed: 10, requests: 1 };
  const first = await playSeed(emulators, options);
  expect((await playSeed(emulators, options)).digest).toBe(first.digest);
});

test.each(regressions)(
  'no promise is broken by seed $seed with $requests requests any more: $what',
  TIMEOUT,
  async ({ seed, requests }) => {
    await expectKept({ seed, requests });
  },
);

test(`no promise is broken by fresh seeds from ${FRESH_SEED} on`, TIMEOUT, async () => {
  const end = Date.now() + FRESH_S * 1_000;
  for (let seed = FRESH_SEED; Date.now() < end; seed++) await expectKept({ seed, requests: 3 });
});
