import http from 'node:http';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Emulators, START, startEmulators } from './bridge.ts';
import { randomFrom } from './random.ts';
import { refuseRealCalls } from './real-calls.ts';
import regressions from './regressions.json' with { type: 'json' };
import { playSeed, type RunOptions } from './run.ts';
import { Actor, Simulation } from './simulation.ts';
import { report, tryCase } from './try-case.ts';

/** How long fresh seeds are played, s. `npm run chaos` plays more: two minutes in CI, half an hour each night. */
const FRESH_S = Number(process.env.CHAOS_SECONDS ?? 3);
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

test('a seed plays the same run each time, whatever was played before it', TIMEOUT, async () => {
  const options = { seed: 10, requests: 2 };
  const first = await playSeed(emulators, options);
  await playSeed(emulators, { seed: 7, requests: 1 });
  expect((await playSeed(emulators, options)).digest).toBe(first.digest);
});

test('an actor cannot send anything past the simulation, whose real time would decide the run', () => {
  const simulation = new Simulation(randomFrom(1), START);
  const undo = refuseRealCalls(simulation);
  onTestFinished(undo);
  const past: (() => unknown)[] = [() => fetch(emulators.topazUrl), () => http.request(emulators.topazUrl)];
  for (const send of past) {
    expect(() => simulation.as(new Actor('person'), send)).toThrow('past the simulation');
  }
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
