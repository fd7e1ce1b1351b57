/** Chance that a wait is over within `seconds` from now. */
export type Chance = (seconds: number) => number;

/** Chance that a wait lasts longer than `seconds` from its beginning. */
export type Survival = (seconds: number) => number;

/** Ages in seconds, the least and the greatest possible: a change lies somewhere between two polls. */
export type Window = readonly [least: number, greatest: number];

export const middle = ([least, greatest]: Window): number => (least + greatest) / 2;

/** Standard deviation of an age that is equally likely anywhere in its window. */
export const deviation = ([least, greatest]: Window): number => (greatest - least) / Math.sqrt(12);

/**
 * Log-logistic: half of the waits last longer than `median` seconds. Like a log-normal with a spread of 1.75 /
 * `shape`, but with a heavy tail: a wait far beyond its median goes on for about as long again, so polls thin
 * out.
 */
export function logLogistic(median: number, shape: number): Survival {
  return (seconds) => (seconds <= 0 ? 1 : 1 / (1 + (seconds / median) ** shape));
}

/** Logistic: like a normal distribution, with heavier tails. */
export function logistic(mean: number, deviation: number): Survival {
  const scale = (Math.max(deviation, 0.1) * Math.sqrt(3)) / Math.PI;
  return (seconds) => 1 / (1 + Math.exp((seconds - mean) / scale));
}

const AGES_TRIED = 4;

/** The rest of a wait that has lasted for some age within the window, each equally likely. */
export function remaining(survival: Survival, [least, greatest]: Window): Chance {
  const ages = Array.from(
    { length: AGES_TRIED },
    (_, n) => least + ((greatest - least) * (n + 0.5)) / AGES_TRIED,
  );
  const survivors = (later: number) => ages.reduce((sum, age) => sum + survival(age + later), 0);
  const now = Math.max(survivors(0), Number.MIN_VALUE);
  return (seconds) => (seconds <= 0 ? 0 : 1 - survivors(seconds) / now);
}
