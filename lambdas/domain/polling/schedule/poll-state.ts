import type { Observation } from './observations.ts';

/** What the schedule needs of a request row. Times are ms since epoch. */
export type PollState = {
  /** Last known status; `registered` before the first poll. */
  status: string;
  /** When the bridge learned of the request. */
  registeredAt: number;
  /** When the present status was first observed. */
  statusSince: number;
  /** Percent as last observed; may be missing. */
  progress?: number;
  /** Upstream's bounds of the time of the job, in seconds. */
  estimates?: { time?: [number, number] };
  /** Memory of earlier polls, kept by `observe`. */
  observations: readonly Observation[];
};
