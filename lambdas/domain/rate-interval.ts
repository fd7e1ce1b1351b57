/** So that no second sees one more than the limit, however the exchanges jitter. */
const MARGIN = 1.05;

/** The time between two starts within a rate, ms. @param perSecond more than 0 */
export const intervalMs = (perSecond: number): number => (1_000 * MARGIN) / perSecond;
