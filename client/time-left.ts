import type { VideoRequest } from './types.ts';

/** How long upstream may still need, ms; undefined when nothing is known, and when that time is over. */
export function timeLeft({ expectedEndAt }: VideoRequest, now: number): number | undefined {
  const left = expectedEndAt === undefined ? 0 : Date.parse(expectedEndAt) - now;
  return left > 0 ? left : undefined;
}
