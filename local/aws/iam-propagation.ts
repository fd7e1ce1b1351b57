import type { Random } from './random.ts';

/**
 * When the policies of each caller hold: a random time of up to `maxMs` after now, as after a deployment. Until then
 * some calls are refused and some are not, since the services learn of a change one by one.
 */
export function iamPropagation(
  maxMs: number,
  random: Random,
  now: () => number = Date.now,
): (caller: string) => boolean {
  const begin = now();
  const delays = new Map<string, number>();
  return (caller) => {
    const delay = delays.get(caller) ?? random() * maxMs;
    delays.set(caller, delay);
    return now() - begin >= delay || random() < 0.5;
  };
}
