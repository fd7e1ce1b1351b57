import { type Random, seeded } from './random.ts';
import type { Trace } from './trace.ts';

/** How the jobs of a set behave. */
type Character = {
  /** Median of the time in `processing`, seconds. */
  processing: number;
  /** Shares of the jobs, 0 to 1. */
  queued: number;
  failing: number;
  withoutProgress: number;
  withoutEstimate: number;
  registeredLate: number;
  /** Chance that a step of progress stalls, and for how long, seconds. */
  stall: number;
  stallTime: [number, number];
  /** Spread of a step's time about the job's mean (standard deviation of the logarithm). */
  stepSpread: number;
};

/** Jobs as public documents describe them; we have not recorded real ones. */
export const usual: Character = {
  processing: 350,
  queued: 0.06,
  failing: 0.055,
  withoutProgress: 0.05,
  withoutEstimate: 0.11,
  registeredLate: 0,
  stall: 0.0015,
  stallTime: [120, 1800],
  stepSpread: 0.25,
};

/** Jobs that are harder to schedule: more stalls and failures, fewer estimates, less regular progress. */
export const harsh: Character = {
  processing: 500,
  queued: 0.15,
  failing: 0.1,
  withoutProgress: 0.15,
  withoutEstimate: 0.3,
  registeredLate: 0.25,
  stall: 0.005,
  stallTime: [60, 3600],
  stepSpread: 0.45,
};

const LONGEST_PROCESSING = 17 * 3600;

/** `count` jobs of one character; the same seed gives the same jobs. */
export function generateTraces(count: number, character: Character = usual, seed = 1): Trace[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) => generate(`job-${index + 1}`, character, random));
}

function generate(requestId: string, character: Character, random: Random): Trace {
  const wanted = Math.min(LONGEST_PROCESSING, Math.max(10, random.logNormal(character.processing, 1.4)));
  const queue = random.chance(character.queued) ? random.logNormal(500, 1) : 0;
  const accepted = random.uniform(0.5, 6);
  const initializing = accepted + random.uniform(0.5, 4.5) + queue;
  const preprocessing = initializing + random.uniform(20, 90);
  const processing = preprocessing + random.uniform(5, 60);
  const steps = stepTimes(processing, wanted, character, random);
  const processed = steps.at(-1)!;
  const gigabytes = Math.max(1, random.logNormal((4 * wanted) / 5_000, 1));
  const trace: Trace = {
    requestId,
    statuses: [
      ['requested', 0],
      ['accepted', accepted],
      ['initializing', initializing],
      ['preprocessing', preprocessing],
      ['processing', processing],
      ['postprocessing', processed],
      ['complete', processed + gigabytes * random.uniform(2.5, 10)],
    ],
    progress: [
      [0, 0],
      ...steps.map((at, n): [number, number] => [at, Math.floor((100 * (n + 1)) / steps.length)]),
    ],
    estimates: { time: estimate(wanted, random) },
  };
  if (random.chance(character.withoutProgress)) trace.progress = [];
  if (random.chance(character.withoutEstimate)) trace.estimates = {};
  if (random.chance(character.failing)) fail(trace, random.uniform(processing, processed), random);
  return random.chance(character.registeredLate) ? registerLate(trace, random) : trace;
}

/** Chunks take about the same time each, some stall; progress steps at the end of each. */
function stepTimes(start: number, wanted: number, character: Character, random: Random): number[] {
  const chunk = random.uniform(15, 60);
  const count = Math.min(200, Math.max(1, Math.round(wanted / chunk)));
  let at = start;
  return Array.from({ length: count }, () => {
    at += random.logNormal(wanted / count, character.stepSpread);
    if (random.chance(character.stall)) at += random.uniform(...character.stallTime);
    return at;
  });
}

function estimate(processing: number, random: Random): [number, number] {
  const low = random.logNormal(1.1 * processing, 0.75);
  return [Math.round(low), Math.round(low * random.uniform(1.05, 2))];
}

function fail(trace: Trace, at: number, random: Random): void {
  const before = trace.statuses.filter(([, from]) => from < at);
  const end: Trace['statuses'] = random.chance(2 / 3)
    ? [['failed', at]]
    : [
        ['canceling', at],
        ['canceled', at + random.uniform(2, 20)],
      ];
  trace.statuses = [...before, ...end];
  trace.progress = trace.progress.filter(([from]) => from < at);
}

/** The same job, but the bridge learns of it only while it runs. */
function registerLate(trace: Trace, random: Random): Trace {
  const missed = random.uniform(0, trace.statuses.at(-1)![1]);
  return {
    ...trace,
    statuses: trace.statuses.map(([status, at]) => [status, at - missed]),
    progress: trace.progress.map(([at, percent]) => [at - missed, percent]),
  };
}
