import { STATUS_ORDER } from '../requests/request.ts';
import { inPercent } from './schedule/percent.ts';
import type { PollState } from './schedule/poll-state.ts';

/** The statuses of a job that is on its way to `complete`. */
const ON_ITS_WAY: ReadonlySet<string> = new Set(STATUS_ORDER.filter((status) => status !== 'complete'));
/** A rate that was measured on less says too little, percent. */
const LEAST_MEASURED = 5;
/** ms. Jobs take up to 17 hours: a later end means that upstream answered wrongly. */
const LONGEST_MS = 30 * 24 * 60 * 60_000;

/**
 * When a job will probably end, for people: extrapolates the progress that was measured, or uses upstream's upper
 * estimate until enough was measured. The schedule considers more, see schedule/hazards.ts.
 *
 * @returns ms since epoch; undefined when nothing is known, and when the job is not on its way
 */
export function expectedEnd(reported: PollState & { readonly startedAt: number }): number | undefined {
  const state = inPercent(reported);
  if (!ON_ITS_WAY.has(state.status)) return undefined;
  const { since, leftMs } = byRate(state) ?? byEstimate(state, reported.startedAt);
  return leftMs >= 0 && leftMs <= LONGEST_MS ? since + leftMs : undefined;
}

/** What was left, ms, at a time; NaN when unknown. */
type Left = { readonly since: number; readonly leftMs: number };

/** From the first to the last poll that saw something new in the present status. */
function byRate({ observations }: PollState): Left | undefined {
  const [first, last] = [observations[0], observations.at(-1)];
  const measured = (last?.progress ?? 0) - (first?.progress ?? 0);
  if (!first || !last || measured < LEAST_MEASURED) return undefined;
  const msPerPercent = (last.at - first.at) / measured;
  return { since: last.at, leftMs: (100 - (last.progress ?? 0)) * msPerPercent };
}

/** Of a job that was registered late, a part was done before. */
function byEstimate({ observations, progress = 0, estimates }: PollState, startedAt: number): Left {
  const since = (progress > 0 ? observations.at(-1)?.at : undefined) ?? startedAt;
  const upper = estimates?.time?.at(-1) ?? Number.NaN;
  return { since, leftMs: upper * (1 - Math.max(0, progress) / 100) * 1_000 };
}
