import * as z from 'zod';
import { FaultSet, faultSchema, type Place, type Strike } from './faults.ts';
import { demoTrace, positionAt, type Trace, traceSchema } from './trace.ts';
import { generatedVideo, playableVideo, type Video } from './video.ts';

const GIB = 1024 ** 3;
const requestId = z.guid().transform((id) => id.toLowerCase());
const faults = z.array(faultSchema).max(100);

/** The body of `POST /_sim/jobs`. */
export const jobSchema = z.strictObject({
  requestId,
  trace: traceSchema.optional(),
  /** How many seconds of the trace pass in one second. */
  speed: z.number().positive().max(1e6).optional(),
  /** Serves a generated video of this many bytes instead of the playable one. */
  bytes: z
    .int()
    .nonnegative()
    .max(200 * GIB)
    .optional(),
  /** Pads the playable video with this many bytes, which players skip: a copy then takes a moment. */
  padding: z.int().nonnegative().max(GIB).optional(),
  faults: faults.default([]),
});
type JobOptions = z.output<typeof jobSchema>;

/** The body of `POST /_sim/faults`: faults of all jobs, in place of those set before. */
export const globalFaultsSchema = z.strictObject({ faults });

/** A simulated job. Times are ms since epoch. */
export type Job = {
  requestId: string;
  /** What it was set up with. */
  options: JobOptions;
  trace: Trace;
  speed: number;
  startedAt: number;
  video: Video;
  faults: FaultSet;
  /** Calls so far for its status and its video. */
  statusCalls: number;
  downloadCalls: number;
  /** Bytes of its video that were sent so far. */
  sentBytes: number;
};

type JobDefaults = { trace?: Trace; speed?: number };

/** What outlives a restart: each job as it was set up, and when it began (ms since epoch). */
export const savedJobsSchema = z.array(z.object({ options: jobSchema, startedAt: z.number() }));
export type SavedJobs = z.output<typeof savedJobsSchema>;

/** All jobs that were set up or asked about, and the faults of all of them. */
export class Jobs {
  #jobs = new Map<string, Job>();
  #everywhere = new FaultSet([], 0);
  #defaults: Required<JobDefaults>;
  #onChange: (jobs: SavedJobs) => void;

  constructor(
    { trace = demoTrace, speed = 1 }: JobDefaults = {},
    onChange: (jobs: SavedJobs) => void = () => {},
  ) {
    this.#defaults = { trace, speed };
    this.#onChange = onChange;
  }

  /** Restores saved jobs. Their time has gone on since they were saved. */
  restore(saved: SavedJobs): void {
    for (const { options, startedAt } of saved) this.set(options, startedAt);
  }

  /** Sets a job up, or up again; it begins now. */
  set(options: JobOptions, now: number): Job {
    const job: Job = {
      requestId: options.requestId,
      options,
      trace: options.trace ?? this.#defaults.trace,
      speed: options.speed ?? this.#defaults.speed,
      startedAt: now,
      video:
        options.bytes === undefined
          ? playableVideo(options.padding)
          : generatedVideo(options.requestId, options.bytes),
      faults: new FaultSet(options.faults, now),
      statusCalls: 0,
      downloadCalls: 0,
      sentBytes: 0,
    };
    this.#jobs.set(job.requestId, job);
    this.#onChange(this.list().map(({ options, startedAt }) => ({ options, startedAt })));
    return job;
  }

  /** The job of an id. Any UUID is one, and begins when first asked about, except those that begin with 00000000. */
  find(id: string, now: number): Job | undefined {
    const known = this.#jobs.get(id.toLowerCase());
    if (known || id.startsWith('00000000') || !requestId.safeParse(id).success) return known;
    return this.set(jobSchema.parse({ requestId: id }), now);
  }

  list(): Job[] {
    return [...this.#jobs.values()];
  }

  setFaults({ faults }: z.output<typeof globalFaultsSchema>, now: number): void {
    this.#everywhere = new FaultSet(faults, now);
  }

  /** The faults that strike a request for the job, or for none: its own before those of all jobs. */
  strikes<P extends Place>(job: Job | undefined, place: P, now: number): Strike<P> {
    const own = job?.faults.strikes(place, now);
    const everywhere = this.#everywhere.strikes(place, now);
    return (kind, applies) => own?.(kind, applies) ?? everywhere(kind, applies);
  }
}

/** Seconds of its trace that a job has behind it. */
export const elapsedSeconds = (job: Job, now: number): number => ((now - job.startedAt) / 1000) * job.speed;

/** What `GET /_sim/jobs` shows of a job. */
export function describeJob(job: Job, now: number) {
  const { requestId, speed, statusCalls, downloadCalls, sentBytes } = job;
  const { status, progress } = positionAt(job.trace, elapsedSeconds(job, now));
  return {
    requestId,
    status,
    progress,
    startedAt: new Date(job.startedAt).toISOString(),
    speed,
    bytes: job.video.size,
    statusCalls,
    downloadCalls,
    sentBytes,
    faults: job.faults.faults,
  };
}
