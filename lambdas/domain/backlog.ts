/**
 * What gives when there are more requests in flight than the cap on polls carries: each request's
 * row keeps a factor by which its long waits are stretched. It grows while the request's polls come
 * late and shrinks when they come in time, so that the lateness settles at what is tolerated here,
 * however large the overload. One late poll (a purged queue, a cold start) moves it by one step.
 */

/** Lateness of polls that a standing backlog settles at, ms. */
const TOLERATED_MS = 5_000;
/** Waits up to this are of jobs about to change, most of them near their end: they are kept, ms. */
const NEAR_MS = 10_000;
/** No wait is stretched beyond what a message can be delayed, or the sweep would wake it, late by its own, ms. */
const LONGEST_MS = 900_000;
const GREATEST_STRETCH = 64;

/**
 * The factor after a poll that began `lateness` ms after it was due.
 *
 * @param stretch the factor before it, 1 or more
 */
export function stretchAfter(stretch: number, lateness: number): number {
  const step = clamp(lateness / TOLERATED_MS, 0.5, 2);
  return Math.round(clamp(stretch * step, 1, GREATEST_STRETCH) * 100) / 100;
}

/** The wait to the next poll, ms, in place of the `wait` that the schedule asks for. */
export function stretched(wait: number, stretch: number): number {
  if (wait <= NEAR_MS) return wait;
  return Math.max(wait, Math.min(LONGEST_MS, Math.ceil(NEAR_MS + (wait - NEAR_MS) * stretch)));
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));
