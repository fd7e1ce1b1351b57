/** Hands out start times that keep a distance, so that a burst is spread and nothing of it dropped. */
export type Pace = {
  /** The earliest start at or after `from` (ms since epoch) that keeps the distance; it is taken by the call. */
  reserve(from: number): number;
};

/** So that no second sees one more than the cap, however the exchanges jitter. */
const MARGIN = 1.05;

/** @param perSecond starts per second, more than 0 */
export function createPace(perSecond: number): Pace {
  const distance = (1000 * MARGIN) / perSecond;
  let last = Number.NEGATIVE_INFINITY;
  return {
    reserve(from) {
      last = Math.max(from, last + distance);
      return last;
    },
  };
}
