import { expect, onTestFailed } from 'vitest';
import { type Random, randomFrom } from '../chaos/random.ts';
import { restartLag } from '../support/lagging-reads.ts';
import type { Death } from './mortal-worker.ts';

/** Every call with `CRASH_POINTS=all`; else so many of each story, drawn by a seed. */
const { CRASH_POINTS, CRASH_SEED = String(Date.now() % 1_000_000_000) } = process.env;

/** Whether each call is tried. */
export const EVERY_CALL = CRASH_POINTS === 'all';

/** The draws of one test, which says when it fails how to have them again. */
export function crashChoices(): Random {
  const points = CRASH_POINTS === undefined ? '' : ` CRASH_POINTS=${CRASH_POINTS}`;
  onTestFailed(() =>
    console.error(`Calls to die at are drawn: CRASH_SEED=${CRASH_SEED}${points} repeats this run.`),
  );
  return randomFrom(Number(CRASH_SEED));
}

/** Of so many calls, those at which to die: a few, or as many as `CRASH_POINTS` says. */
export function crashPoints(random: Random, calls: number, few: number): number[] {
  const points = Array.from({ length: calls }, (_, i) => i + 1);
  return EVERY_CALL ? points : random.shuffled(points).slice(0, Number(CRASH_POINTS ?? few));
}

/** Of all stories, those in which processes die: a few, or all when `CRASH_POINTS` says at how many calls. */
export function crashStories(names: readonly string[], few: number): readonly string[] {
  return CRASH_POINTS === undefined ? randomFrom(Number(CRASH_SEED)).shuffled(names).slice(0, few) : names;
}

/** What became of the worker that was to die: how many calls it made, and whether it came as far as its death. */
type End = { readonly calls: number; readonly died: boolean };

/**
 * Plays a story undisturbed, and then anew with a death at a few of its calls, or as many as `CRASH_POINTS` says.
 * Where calls overlap, a play may have fewer than the one before, so that the last of its deaths do not come.
 */
export async function killAtCalls(
  few: number,
  play: (death: Death | undefined) => Promise<End>,
): Promise<void> {
  const random = crashChoices();
  restartLag();
  const { calls } = await play(undefined);
  const ends: End[] = [];
  for (const atCall of crashPoints(random, calls, few)) {
    restartLag();
    ends.push(await play({ atCall }));
  }
  expect(ends.filter(({ died }) => died).length).toBeGreaterThan(ends.length / 2);
}
