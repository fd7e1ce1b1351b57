import {
  nextPollAt,
  type Observation,
  observe,
  type PollState,
  PRICE_OF_POLL,
} from '../../lambdas/domain/polling/poll-schedule.ts';
import { seeded } from './random.ts';
import type { Schedule } from './replay.ts';
import { expectedLateness, halfOfTheRest } from './sketches.ts';

/** Every `interval` seconds, whatever the job says. */
export const every =
  (interval: number): Schedule =>
  () =>
  (_, at) =>
    at + interval;

/** Google's advice for long-running operations: 5 s first, half as long again each time, up to `longest`. */
export const growing =
  (longest: number): Schedule =>
  () => {
    let interval = 5 / 1.5;
    return (_, at) => {
      interval = Math.min(longest, interval * 1.5);
      return at + interval;
    };
  };

/** What delays the next poll of the deployed function. */
type Deployment = {
  /** Seconds that a poll takes until its row is written and the next one hinted. */
  latency: number;
};

const LONGEST_DELAY = 900;
const SWEEP_INTERVAL = 60;
const SWEEP_TOLERANCE = 5;

/**
 * The deployed function in the deployed scheduler: SQS delays whole seconds, rounded up, to 15 minutes; what is
 * due later waits for the sweep of a minute that finds it overdue.
 */
export function bridge(price = PRICE_OF_POLL, deployment: Deployment = { latency: 0 }): Schedule {
  const random = seeded(1);
  return () => {
    const phase = random.uniform(0, SWEEP_INTERVAL);
    let observations: Observation[] = [];
    let state: PollState = { status: 'registered', registeredAt: 0, statusSince: 0, observations };
    return ({ status, progress, estimates }, at) => {
      const now = Math.round(at * 1000);
      observations = observe(observations, { at: now, status, progress });
      const statusSince = status === state.status ? state.statusSince : now;
      state = { ...state, status, statusSince, progress, estimates, observations };
      const due = nextPollAt(state, now, price) / 1000;
      return deployed(at + deployment.latency, due, phase);
    };
  };
}

function deployed(now: number, due: number, phase: number): number {
  const delay = Math.max(0, Math.ceil(due - now));
  if (delay <= LONGEST_DELAY) return now + delay;
  const sweeps = Math.ceil((due + SWEEP_TOLERANCE - phase) / SWEEP_INTERVAL);
  return phase + sweeps * SWEEP_INTERVAL;
}

/** What `npm run bench:polling` compares. */
export const schedules = (deployment?: Deployment): Record<string, Schedule> => ({
  'every 60 s': every(60),
  'every 10 s': every(10),
  '5 s x 1.5 up to 45 s': growing(45),
  '5 s x 1.5 up to 300 s': growing(300),
  'half of the rest': halfOfTheRest,
  'expected lateness': expectedLateness,
  bridge: bridge(PRICE_OF_POLL, deployment),
});
