/** A job, simulated or as a bridge observed it. Times are seconds since its registration, negative before it. */
export type Trace = {
  requestId: string;
  /** Statuses and when each began, in order; the last one is final. */
  statuses: [status: string, at: number][];
  /** Progress in percent and when it was reached, in order; empty for a job that reports none. */
  progress: [at: number, percent: number][];
  estimates?: { time?: [number, number] };
};

/** What upstream would answer at one moment. */
export type Answer = { status: string; since: number; progress?: number; estimates?: Trace['estimates'] };

/** What upstream would answer `at` seconds after the registration. */
export function answerAt(trace: Trace, at: number): Answer {
  const [status, since] = trace.statuses.findLast(([, from]) => from <= at) ?? trace.statuses[0]!;
  const progress = trace.progress.findLast(([from]) => from <= at)?.[1];
  return { status, since: Math.min(since, at), progress, estimates: trace.estimates };
}
