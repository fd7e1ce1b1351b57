/** One look at a job: `at` in ms since epoch, `progress` in percent (may be missing). */
export type Observation = { at: number; status?: string; progress?: number };

/** What the schedule needs of a request row. Times are ms since epoch. */
export type PollState = {
  /** Last known status; `registered` before the first poll. */
  status: string;
  registeredAt: number;
  /** When the present status was first observed. */
  statusSince: number;
  lastPolledAt?: number;
  progress?: number;
  /** Lower and upper bound of the whole job, in seconds. */
  estimates?: { time?: [number, number] };
  observations: Observation[];
};

const minimumGap = 2_000;
const maximumGap = 60_000;
const remembered = 8;

/** When to ask upstream next: later than `now`, at most a minute away. */
export function nextPollAt(state: PollState, now: number): number {
  const elapsed = Math.max(0, now - state.statusSince);
  const gap = state.status === 'registered' ? 0 : elapsed / 8;
  return Math.ceil(now + Math.min(maximumGap, Math.max(minimumGap, gap)));
}

/** The bounded memory of earlier looks, with one more. */
export function observe(observations: Observation[], observation: Observation): Observation[] {
  return [...observations, observation].slice(-remembered);
}
