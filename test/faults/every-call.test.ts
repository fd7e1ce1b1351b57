import { Metrics } from '@aws-lambda-powertools/metrics';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { METRICS } from '../../lambdas/domain/metrics.ts';
import { type Emulators, startBridge, startEmulators } from '../chaos/bridge.ts';
import { check, type Violation } from '../chaos/checker.ts';
import { randomFrom } from '../chaos/random.ts';
import { Actor, type Crash } from '../chaos/simulation.ts';
import { allowed, STAGE, UNSEEN } from './allowed.ts';
import { crashChoices, crashPoints, crashStories, EVERY_CALL } from './crash-points.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

/** All are played, since only together they use every permission; in these a process dies. */
const DEADLY = crashStories(Object.keys(SCENARIOS), 12);
const MINUTE = 60_000;
/** Longer than a lease, and than a tick takes to give the row to another worker. */
const FREEZE_MS = 200_000;
/** A lease, a tick, and what was under way. */
const RECOVERY_MS = 8 * MINUTE;

/** Permissions that functions have used in any of the runs. */
const used = new Set<string>();
/** Metrics that they have written. */
const written = new Set<string>();
let emulators: Emulators;
beforeAll(async () => {
  vi.spyOn(Metrics.prototype, 'addMetric').mockImplementation(function (this: Metrics, name) {
    written.add(name);
    return this;
  });
  emulators = await startEmulators();
});
afterAll(() => {
  vi.restoreAllMocks();
  return emulators.stop();
});

/** Plays a scenario in which the process that makes one call dies or freezes; returns how many calls there were, and what went wrong. */
async function play(
  scenario: Scenario,
  crash: Crash | undefined,
): Promise<{ calls: number; violations: readonly Violation[] }> {
  const bridge = await startBridge(emulators, { random: randomFrom(1), only: [] });
  const { simulation } = bridge;
  const begin = (name: string, work: () => Promise<void>) => simulation.as(new Actor(name), work);
  let over = false;
  try {
    simulation.crash = crash;
    void begin('time', async () => {
      while (!over) {
        await simulation.sleep(MINUTE);
        void bridge.tick({ mortal: true });
      }
    });
    await simulation.runFor(begin('user', () => scenario(bridge)));
    over = true;
    const { history, calls } = await bridge.settle({ promptMs: RECOVERY_MS, sendsOnce: false });
    for (const permission of bridge.permissions.used) used.add(permission);
    return { calls, violations: check(history) };
  } finally {
    bridge.stop();
  }
}

const counted: string[] = [];
let total = 0;
afterAll(() => {
  process.stdout.write(
    `crash points (each a death or a freeze, before the call or after its effect):\n${counted.join('\n')}\n${String(total).padStart(6)} calls in all\n`,
  );
});

test.each(Object.entries(SCENARIOS))(
  'no promise is broken at whatever call a process dies, or freezes for longer than its lease: %s',
  { timeout: 3_600_000 },
  async (name, scenario) => {
    const undisturbed = await play(scenario, undefined);
    expect(undisturbed.violations).toEqual([]);
    const random = crashChoices();
    const chosen = DEADLY.includes(name) ? crashPoints(random, undisturbed.calls, 1) : [];
    const ways: Crash[] = chosen.flatMap((atCall) =>
      (['before', 'after'] as const).flatMap((when) => [
        { atCall, when },
        { atCall, when, freezeMs: FREEZE_MS },
      ]),
    );
    const tried = EVERY_CALL ? ways : random.shuffled(ways).slice(0, chosen.length);
    const broken = [];
    for (const crash of tried) {
      const { violations } = await play(scenario, crash);
      if (violations.length > 0) broken.push({ crash, violations: violations.slice(0, 5) });
    }
    total += undisturbed.calls;
    counted.push(`${String(undisturbed.calls).padStart(6)} calls, ${tried.length} tried: ${name}`);
    expect(broken).toEqual([]);
  },
);

test('each function is allowed what it does, and nothing else', ({ skip }) => {
  skip(counted.length < Object.keys(SCENARIOS).length, 'only all scenarios together use every permission');
  const functions = [...used].filter((each) => STAGE.test(each) && !UNSEEN.includes(each));
  expect(functions.sort()).toEqual(allowed().sort());
});

/** Metrics of rare misfortunes, each shown by a test of its own in the folder of its stage. */
const RARE = ['ParkedRows', 'CopiesExpiring'];

test('every metric is written by one of the scenarios', ({ skip }) => {
  skip(counted.length < Object.keys(SCENARIOS).length, 'only all scenarios together write every metric');
  const common = Object.keys(METRICS).filter((name) => !RARE.includes(name));
  expect([...written].sort()).toEqual(expect.arrayContaining(common));
});
