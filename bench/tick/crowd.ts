import {
  nextPollAt,
  observe,
  type PollState,
  PRICE_OF_POLL,
} from '../../lambdas/domain/polling/poll-schedule.ts';
import { scarcity } from '../../lambdas/domain/polling/scarcity.ts';
import { seeded } from '../polling/random.ts';
import { answerAt, type Trace } from '../polling/trace.ts';
import { quantile } from '../quantile.ts';

/** How promptly a crowd of requests is polled under a cap; lateness in seconds. */
export type Crowd = {
  inFlight: number;
  pollsPerSecond: number;
  pollsPerJob: number;
  /** From when a poll was due to when it was made: the median. */
  pollLateness: number;
  completeP50: number;
  completeP95: number;
  completeMean: number;
};

type CrowdOptions = {
  /** Polls per second. */
  cap: number;
  /** Jobs registered per second. */
  arrivals: number;
  hours: number;
  /** Whether a poll costs the schedule more while polls come late, as deployed. */
  scarce: boolean;
};

type Job = { trace: Trace; startedAt: number; state: PollState };

/**
 * Jobs that come at random times, in virtual time: due polls queue up and are made one after another
 * at the cap. Measured in the second half, when the crowd has settled.
 */
export function crowd(traces: readonly Trace[], { cap, arrivals, hours, scarce }: CrowdOptions): Crowd {
  const random = seeded(7);
  const end = hours * 3600;
  const queue = new Queue<Job>();
  for (let at = 0; at < end; at += Math.log(1 / (1 - random.uniform(0, 1))) / arrivals) {
    const trace = traces[Math.floor(random.uniform(0, traces.length))] as Trace;
    const state = { status: 'registered', registeredAt: 0, statusSince: 0, observations: [] };
    queue.push(at, { trace, startedAt: at, state });
  }
  const inFlight = new Set<Job>();
  const seen = { polls: 0, ended: 0, crowd: 0, late: [] as number[], complete: [] as number[] };
  let last = Number.NEGATIVE_INFINITY;
  while (queue.size > 0) {
    const [due, job] = queue.pop();
    const at = Math.max(due, last + 1 / cap);
    if (at > end) break;
    last = at;
    inFlight.add(job);
    const settled = at > end / 2;
    const age = at - job.startedAt;
    const answer = answerAt(job.trace, age);
    const ended = answer.status === job.trace.statuses.at(-1)?.[0];
    if (ended) inFlight.delete(job);
    else queue.push(at + wait(job, answer, age, scarce ? scarcity((at - due) * 1000) : 1), job);
    if (!settled) continue;
    seen.polls++;
    seen.crowd += inFlight.size;
    seen.late.push(at - due);
    if (ended) seen.ended++;
    if (answer.status === 'complete') seen.complete.push(age - Math.max(0, answer.since));
  }
  return {
    inFlight: seen.crowd / seen.polls,
    pollsPerSecond: seen.polls / (end / 2),
    pollsPerJob: seen.polls / seen.ended,
    pollLateness: quantile(seen.late, 0.5),
    completeP50: quantile(seen.complete, 0.5),
    completeP95: quantile(seen.complete, 0.95),
    completeMean: seen.complete.reduce((sum, lateness) => sum + lateness, 0) / seen.complete.length,
  };
}

/** Notes the answer, and says how many seconds later the schedule wants the next poll. */
function wait(job: Job, answer: ReturnType<typeof answerAt>, age: number, scarcer: number): number {
  const now = Math.round(age * 1000);
  const { status, progress, estimates } = answer;
  const { state } = job;
  job.state = {
    ...state,
    status,
    statusSince: status === state.status ? state.statusSince : now,
    progress,
    estimates,
    observations: observe(state.observations, { at: now, status, progress }),
  };
  return Math.ceil((nextPollAt(job.state, now, PRICE_OF_POLL * scarcer) - now) / 1000);
}

/** The earliest first: a binary heap. */
class Queue<T> {
  readonly #heap: [at: number, item: T][] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(at: number, item: T): void {
    const heap = this.#heap;
    let place = heap.push([at, item]) - 1;
    for (let parent = (place - 1) >> 1; place > 0; place = parent, parent = (place - 1) >> 1) {
      if (heap[parent]![0] <= at) break;
      [heap[parent], heap[place]] = [heap[place]!, heap[parent]!];
    }
  }

  pop(): [at: number, item: T] {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let place = 0; ; ) {
      const left = 2 * place + 1;
      if (left >= heap.length) return first;
      const child = left + 1 < heap.length && heap[left + 1]![0] < heap[left]![0] ? left + 1 : left;
      if (heap[place]![0] <= heap[child]![0]) return first;
      [heap[place], heap[child]] = [heap[child]!, heap[place]!];
      place = child;
    }
  }
}
