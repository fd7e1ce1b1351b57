import { hazardsOf } from './schedule/hazards.ts';
import type { PollState } from './schedule/poll-state.ts';

export { type Observation, observe } from './schedule/observations.ts';
export type { PollState } from './schedule/poll-state.ts';

/** What one poll costs, in seconds of lateness of one job's end: the setting that trades polls for lateness. */
export const PRICE_OF_POLL = 0.9;

/** Seconds between two polls of a job, at least and at most. */
export const LEAST_GAP = 2;
export const GREATEST_GAP = 300;

/**
 * When to poll next: whole seconds after `now` (ms since epoch), as soon as the expected lateness is worth a
 * poll. For events that come at a constant rate h this is Keller's interval, sqrt(2 price / h)
 * (Optimum checking schedules for systems subject to random failure, Management Science 21, 1974); here h
 * follows from what the job has reported. Any state has an answer.
 */
export function nextPollAt(state: PollState, now: number, price = PRICE_OF_POLL): number {
  const hazards = hazardsOf(state, now);
  let lateness = 0;
  let gap = 0;
  while (gap < GREATEST_GAP && !(lateness >= price)) {
    for (const { weight, chance } of hazards) lateness += weight * chance(gap + 0.5);
    gap++;
  }
  return now + Math.max(LEAST_GAP, gap) * 1000;
}
