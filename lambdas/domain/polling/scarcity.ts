/** Lateness that has other causes than a backlog (delays in whole seconds, a cold start), ms. */
const USUAL_MS = 2_000;
/** Each such amount of further lateness adds the price of one poll, ms. */
const DOUBLING_MS = 2_000;
const MOST = 20;

/**
 * The factor on the price of a poll while polls come late: more requests are in flight than the cap on
 * polls carries. The polls that can be made then go where the expected lateness is greatest. A job that is
 * about to end is polled nearly on time; a job with a far or uncertain end waits longer. All
 * workers see about the same lateness, so the price is the same for all requests. It settles where the
 * schedule asks for as many polls as can be made.
 *
 * @param lateness from when the poll was due to when it began, ms
 */
export function scarcity(lateness: number): number {
  return Math.min(MOST, 1 + Math.max(0, lateness - USUAL_MS) / DOUBLING_MS);
}
