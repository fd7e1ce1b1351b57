import { afterAll, beforeAll, expect, test } from 'vitest';
import { check } from '../chaos/checker.ts';
import { randomFrom } from '../chaos/random.ts';
import { type Kill, type RealBridge, startRealBridge } from './real-bridge.ts';
import { REAL_SCENARIOS } from './real-scenarios.ts';

/** `npm run kills` tries 30, spread over all scenarios; `KILL_SEED=…` repeats a run. */
const KILLS = Number(process.env.KILLS ?? 2);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000_000);

const random = randomFrom(SEED);
const names = Object.keys(REAL_SCENARIOS);
/** Scenarios with the number of deaths in each. */
const chosen = random
  .shuffled(names)
  .map((name, i): [string, number] => [
    name,
    Math.floor(KILLS / names.length) + (i < KILLS % names.length ? 1 : 0),
  ])
  .filter(([, deaths]) => deaths > 0);
const counted: string[] = [];
let came = 0;
let bridge: RealBridge;

beforeAll(async () => {
  bridge = await startRealBridge();
}, 120_000);
afterAll(async () => {
  await bridge?.stop();
  process.stdout.write(
    `processes killed by SIGKILL (KILL_SEED=${SEED}):\n${counted.join('\n')}\n${came} deaths in all\n`,
  );
});

/** Calls of a scenario at which to kill the caller, in any order: of each function as many as it makes calls. */
function killsOf(calls: Readonly<Record<string, number>>): Kill[] {
  const all = Object.entries(calls)
    // How often the clock ticks during a scenario is chance.
    .filter(([caller]) => caller !== 'tick' && caller !== 'operator')
    .flatMap(([caller, most]) => Array.from({ length: most }, (_, n) => ({ caller, atCall: n + 1 })));
  const ticks: Kill = { caller: 'tick', atCall: random.integer(1, 10), when: 'after' };
  const kills = random
    .shuffled(all)
    .map((each): Kill => ({ ...each, when: random.pick(['before', 'after'] as const) }));
  return [...(random.chance(0.1) ? [ticks] : []), ...kills];
}

test.each(chosen)(
  'no promise is broken when real processes are killed at a call: %s',
  { timeout: 900_000 },
  async (name, deaths) => {
    const story = () => REAL_SCENARIOS[name]!(bridge);
    const undisturbed = await bridge.play(story);
    expect(check(undisturbed.history)).toEqual([]);
    // A call that was made once may not be made the next time: then another one is tried in its place.
    const tries = 2 * deaths;
    const end = came + deaths;
    for (const kill of killsOf(undisturbed.calls).slice(0, tries)) {
      if (came === end) break;
      const { history, killed } = await bridge.play(story, kill);
      if (killed) came++;
      const what = `${kill.caller} at its call ${kill.atCall} (${kill.when})`;
      counted.push(`  ${name}: ${what}${killed ? '' : ', which did not come'}`);
      expect(check(history), `${what}; again with KILL_SEED=${SEED} KILLS=${KILLS}`).toEqual([]);
    }
  },
);
