import { readFileSync } from 'node:fs';

/** A simulated job. Times are seconds since its registration, negative before it. */
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

/** Reads one trace a line (JSON); throws with the line's number when one is not a trace. */
export function readTraces(file: string): Trace[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => (line.trim() ? [parse(line, `${file}:${index + 1}`)] : []));
}

function parse(line: string, place: string): Trace {
  let trace: Partial<Trace>;
  try {
    trace = JSON.parse(line) as Partial<Trace>;
  } catch (cause) {
    throw new Error(`${place} is not JSON: give one trace a line.`, { cause });
  }
  if (!trace?.statuses?.length) throw new Error(`${place} has no statuses: give [[status, seconds], ...].`);
  return {
    ...trace,
    requestId: trace.requestId ?? place,
    statuses: trace.statuses,
    progress: trace.progress ?? [],
    estimates: Array.isArray(trace.estimates?.time) ? trace.estimates : undefined,
  };
}

/** What upstream would answer `at` seconds after the registration. */
export function answerAt(trace: Trace, at: number): Answer {
  const [status, since] = trace.statuses.findLast(([, from]) => from <= at) ?? trace.statuses[0]!;
  const progress = trace.progress.findLast(([from]) => from <= at)?.[1];
  return { status, since: Math.min(since, at), progress, estimates: trace.estimates };
}
