import { AHEAD_MS } from './rate-limiter.ts';

/** How often deliveries are released, ms: before those that were released ahead have gone out. */
export const RELEASE_EVERY_MS = AHEAD_MS / 2;

/** While both wait, one release in this many is for a replayed delivery, the others for new ones. */
const REPLAYS_SHARE = 4;

/** Times at which the next of a backlog go out, from `from` up to `until`. */
export function releaseTimes(from: number, until: number, interval: number): number[] {
  const count = Math.max(0, Math.ceil((until - from) / interval));
  return Array.from({ length: count }, (_, i) => Math.ceil(from + i * interval));
}

/**
 * Gives each of the times to the first of the fresh or the replayed deliveries that are left. The time
 * decides which of the two, so that both get their share even with a release every few minutes. If that one has
 * none left, the other gets the time.
 */
export function interleave<T>(
  times: readonly number[],
  interval: number,
  fresh: readonly T[],
  replayed: readonly T[],
): { entry: T; dueAt: number }[] {
  const [freshLeft, replayedLeft] = [[...fresh], [...replayed]];
  return times.flatMap((dueAt) => {
    const forReplay = Math.floor(dueAt / interval) % REPLAYS_SHARE === 0;
    const entry = forReplay
      ? (replayedLeft.shift() ?? freshLeft.shift())
      : (freshLeft.shift() ?? replayedLeft.shift());
    return entry === undefined ? [] : [{ entry, dueAt }];
  });
}
