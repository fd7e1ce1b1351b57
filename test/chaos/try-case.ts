import { inspect } from 'node:util';
import type { Emulators } from './bridge.ts';
import { check, type Violation } from './checker.ts';
import { playSeed, type Run, type RunOptions } from './run.ts';

type Tried = {
  readonly options: RunOptions;
  readonly violations: readonly Violation[];
  readonly run?: Run;
  /** Real time, ms. */
  readonly ms: number;
};

/** Plays one seed and checks what it left. A run that throws has broken a promise, too. */
export async function tryCase(emulators: Emulators, options: RunOptions): Promise<Tried> {
  const begun = performance.now();
  const ms = () => Math.round(performance.now() - begun);
  try {
    const run = await playSeed(emulators, options);
    return { options, run, violations: check(run.history), ms: ms() };
  } catch (error) {
    const what = inspect(error);
    return { options, violations: [{ invariant: 6, what }], ms: ms() };
  }
}

/** A line about a run, and all about one that failed. */
export function report({ options, violations, run, ms }: Tried): string {
  const summary = `seed ${options.seed} (${run?.digest ?? 'threw'}): ${inWords(run?.counted ?? {})}, ${(ms / 1_000).toFixed(1)} s`;
  if (violations.length === 0) return `${summary}, ok`;
  return [
    `${summary}, ${violations.length} promises broken`,
    ...violations.slice(0, 20).map(({ invariant, what }) => `  invariant ${invariant}: ${what}`),
    `  faults: ${run?.kinds.join(', ') ?? 'unknown'}`,
    `  again: ${commandOf(options)}`,
  ].join('\n');
}

export const inWords = (counted: Readonly<Record<string, number>>): string =>
  Object.entries(counted)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

/** The command that plays the same run again. */
function commandOf({ seed, requests, only }: RunOptions): string {
  const kinds = only ? ` --only ${JSON.stringify(only.join(','))}` : '';
  return `npm run chaos -- --runs 1 --seed ${seed} --requests ${requests}${kinds}`;
}
