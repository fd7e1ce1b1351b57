import type { PollState } from './poll-state.ts';

/**
 * The state with its progress in percent. Upstream documents percent. When all levels are at most 1 and one
 * lies between 0 and 1, they count as fractions. (For a job whose first percent comes in parts that is
 * wrong, and costs a few polls.)
 */
export function inPercent(state: PollState): PollState {
  const levels = [state.progress, ...state.observations.map(({ progress }) => progress)];
  const fractions =
    levels.every((level = 0) => level <= 1) && levels.some((level = 0) => level > 0 && level < 1);
  if (!fractions) return state;
  const scaled = <T extends { progress?: number }>(of: T): T =>
    of.progress === undefined ? of : { ...of, progress: of.progress * 100 };
  return { ...scaled(state), observations: state.observations.map(scaled) };
}
