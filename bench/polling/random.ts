import { seededRandom } from '../../local/aws/random.ts';

/** Numbers that look random and are the same for the same seed. */
export type Random = {
  uniform(low: number, high: number): number;
  chance(probability: number): boolean;
  /** Log-normal with the given median; `spread` is the standard deviation of the logarithm. */
  logNormal(median: number, spread: number): number;
};

export function seeded(seed: number): Random {
  const next = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    uniform: (low, high) => low + (high - low) * next(),
    chance: (probability) => next() < probability,
    logNormal: (median, spread) => median * Math.exp(spread * normal()),
  };
}
