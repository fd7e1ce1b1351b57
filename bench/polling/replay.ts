import { quantile } from '../quantile.ts';
import { type Answer, answerAt, type Trace } from './trace.ts';

/**
 * A schedule for one job: given each answer and the time of the poll (seconds since registration), it says
 * when to poll next.
 */
export type Schedule = (trace: Trace) => (answer: Answer, at: number) => number;

/** What a schedule did on a set of traces; lateness in seconds. */
export type Result = {
  pollsPerJob: number;
  completeP50: number;
  completeP95: number;
  completeMean: number;
  failedP95: number;
  transitionP50: number;
  transitionP95: number;
  /** Share of the transitions that no poll saw, and of the jobs that have one. */
  unseenTransitions: number;
  jobsWithUnseen: number;
};

const FAILED = ['failed', 'canceled'];

/**
 * Replays every trace in virtual time. The first poll comes at the registration, the last one sees the final
 * status. A transition's lateness is the time from it (at the earliest the registration) to the poll that sees
 * it; one that was over before any poll saw it is not observed and not counted.
 */
export function replay(traces: readonly Trace[], schedule: Schedule): Result {
  const complete: number[] = [];
  const failed: number[] = [];
  const transitions: number[] = [];
  let polls = 0;
  let happened = 0;
  let jobsWithUnseen = 0;
  for (const trace of traces) {
    const seenBefore = transitions.length;
    const final = trace.statuses.at(-1)![0];
    const next = schedule(trace);
    let known: string | undefined;
    for (let at = 0; ; ) {
      polls++;
      const answer = answerAt(trace, at);
      if (answer.status !== known) {
        const lateness = at - Math.max(0, answer.since);
        transitions.push(lateness);
        if (answer.status === 'complete') complete.push(lateness);
        else if (FAILED.includes(answer.status)) failed.push(lateness);
        known = answer.status;
        if (known === final) break;
      }
      const due = next(answer, at);
      if (!(due > at)) throw new Error(`A schedule asked to poll ${trace.requestId} at ${due}, after ${at}.`);
      at = due;
    }
    const toSee = transitionsOf(trace);
    happened += toSee;
    if (transitions.length - seenBefore < toSee) jobsWithUnseen++;
  }
  return {
    pollsPerJob: polls / traces.length,
    completeP50: quantile(complete, 0.5),
    completeP95: quantile(complete, 0.95),
    completeMean: complete.reduce((sum, lateness) => sum + lateness, 0) / complete.length,
    failedP95: quantile(failed, 0.95),
    transitionP50: quantile(transitions, 0.5),
    transitionP95: quantile(transitions, 0.95),
    unseenTransitions: 1 - transitions.length / happened,
    jobsWithUnseen: jobsWithUnseen / traces.length,
  };
}

/** Statuses that a poll could have seen: those that were over before the registration could not. */
const transitionsOf = ({ statuses }: Trace): number =>
  statuses.filter((_, n) => (statuses[n + 1]?.[1] ?? Number.POSITIVE_INFINITY) > 0).length;
