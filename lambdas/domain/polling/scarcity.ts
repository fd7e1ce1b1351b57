/** Lateness that is no backlog: whole seconds of a delay, a cold start, ms. */
const USUAL_MS = 2_000;
/** Lateness beyond it by which the price of a poll grows by its own amount, ms. */
const DOUBLING_MS = 2_000;
const MOST = 20;

/**
 * By what factor a poll costs more while polls come late, that is while more requests are in flight
 * than the cap on polls carries. The polls that there are then go, as always, where the most lateness
 * is to be expected: a job that is sure to end soon keeps its time nearly, one whose end is far or
 * uncertain waits for longer. All that poll at a time see about the same lateness, so that the price
 * is the same for all, and settles where the polls asked for are those that can be made.
 *
 * @param lateness from when the poll was due to when it began, ms
 */
export function scarcity(lateness: number): number {
  return Math.min(MOST, 1 + Math.max(0, lateness - USUAL_MS) / DOUBLING_MS);
}
