import type { PollState } from './poll-state.ts';

/**
 * The state with its progress in percent. Upstream says percent; levels that are all at most 1, one of
 * them between 0 and 1, are taken for fractions. (For the first percent of a job that reports parts of
 * it, that is a mistake, which costs a few polls.)
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
