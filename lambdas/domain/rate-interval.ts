/** Makes the interval 5 % longer, so that jitter does not put one start too many into a second. */
const MARGIN = 1.05;

/** The time between two starts within a rate, ms. @param perSecond more than 0 */
export const intervalMs = (perSecond: number): number => (1_000 * MARGIN) / perSecond;
