import { lossesOf } from './schedule/hazards.ts';
import type { PollState } from './schedule/poll-state.ts';

export { type Observation, observe } from './schedule/observations.ts';
export type { PollState } from './schedule/poll-state.ts';

/** What one poll costs, in seconds of lateness of one job's end: the one dial between polls and lateness. */
export const priceOfPoll = 0.9;

/** Seconds between two polls of a job, at least and at most. */
export const leastGap = 2;
export const greatestGap = 300;

/**
 * When to poll next: whole seconds after `now` (ms since epoch), as soon as the lateness to be expected by then
 * is worth a poll. For events that come at a constant rate h this is Keller's interval, sqrt(2 price / h)
 * (Optimum checking schedules for systems subject to random failure, Management Science 21, 1974); here h
 * follows from what the job has reported. Any state has an answer.
 */
export function nextPollAt(state: PollState, now: number, price = priceOfPoll): number {
  const losses = lossesOf(state, now);
  let lateness = 0;
  let gap = 0;
  while (gap < greatestGap && !(lateness >= price)) {
    for (const { weight, chance } of losses) lateness += weight * chance(gap + 0.5);
    gap++;
  }
  return now + Math.max(leastGap, gap) * 1000;
}
