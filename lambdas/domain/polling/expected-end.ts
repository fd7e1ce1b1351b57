import { STATUS_ORDER } from '../requests/request.ts';
import { inPercent } from './schedule/percent.ts';
import type { PollState } from './schedule/poll-state.ts';
import { progressRateOf } from './schedule/progress-rate.ts';
import { middle } from './schedule/waiting-time.ts';

/** The statuses of a job that is on its way to `complete`. */
const ON_ITS_WAY: ReadonlySet<string> = new Set(STATUS_ORDER.filter((status) => status !== 'complete'));
/** A rate that was measured on less says too little, percent. */
const LEAST_MEASURED = 5;

/**
 * When a job may end, for people: as its progress went on while it was polled, or by upstream's upper estimate while
 * that says too little. The schedule weighs more, see schedule/hazards.ts.
 *
 * @returns ms since epoch; undefined when nothing is known, and when the job is not on its way
 */
export function expectedEnd(reported: PollState & { readonly startedAt: number }): number | undefined {
  const state = inPercent(reported);
  const last = state.observations.at(-1);
  if (!ON_ITS_WAY.has(state.status)) return undefined;
  const rate = last && progressRateOf(state.observations, last.at);
  if (rate && rate.measured >= LEAST_MEASURED) {
    const { percent, age } = rate.last;
    return last.at + ((100 - percent) * rate.secondsPerPercent - middle(age)) * 1_000;
  }
  const upper = state.estimates?.time?.at(-1);
  if (upper === undefined) return undefined;
  const { progress = 0 } = state;
  // A job that was registered late has done a part of it before.
  const since = last && progress > 0 ? last.at : reported.startedAt;
  return since + upper * (1 - progress / 100) * 1_000;
}
