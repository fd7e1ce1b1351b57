import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { log } from '../adapters/lambda/log.ts';
import { LEASE_MS } from '../domain/work.ts';
import { about } from './about.ts';
import type { Claim } from './claim-writes.ts';
import type { Claims } from './claims.ts';

/** Why work was stopped from outside: not its failure. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  /** `lost`: the row is no longer this worker's. `time`: the worker's time is up. */
  readonly why: 'lost' | 'time';

  constructor(why: 'lost' | 'time', message: string) {
    super(message);
    this.why = why;
  }
}

export type Lease = {
  /** Aborted, with a {@link Stopped}, well before the lease ends. */
  readonly signal: AbortSignal;
  stop(why: Stopped['why'], message: string): void;
  /** Renews at once, before what can't be undone; throws a {@link Stopped} when the row is another's. */
  confirm(): Promise<void>;
  /** Stops renewing. */
  end(): void;
};

type LeaseOptions = {
  readonly claims: Pick<Claims, 'renew'>;
  readonly now: () => number;
  /** When the worker must have stopped, ms since epoch. */
  readonly deadline: number;
  /** Runs at each beat, but never twice at once. */
  readonly onBeat?: () => Promise<void>;
};

/** How often long work records its progress, ms. */
export const BEAT_MS = 5_000;
const RENEW_AFTER_MS = 20_000;
/** How long before the end of the lease I/O stops. */
const MARGIN_MS = 10_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const LOST = "the row is no longer this worker's";

/** Keeps a claim while long work is under way, and stops the work's I/O when that fails. */
export function holdLease(claim: Claim, options: LeaseOptions): Lease {
  const { claims, now, deadline, onBeat } = options;
  const controller = new AbortController();
  const stop = (why: Stopped['why'], message: string) => controller.abort(new Stopped(why, message));
  let beating = false;

  async function beat(): Promise<void> {
    const left = claim.leaseEnd - now();
    if (left < MARGIN_MS) return stop('lost', 'the lease could not be renewed in time');
    if (beating) return;
    beating = true;
    try {
      if (left < LEASE_MS - RENEW_AFTER_MS && !(await claims.renew(claim))) {
        stop('lost', LOST);
      }
      await onBeat?.();
    } catch (error) {
      if (error instanceof ConditionFailed) return stop('lost', LOST);
      // The next beat tries again; the lease's end is the limit.
      log.warn('beat failed', { ...about(claim.lane, claim.row), error: error as Error });
    } finally {
      beating = false;
    }
  }

  async function confirm(): Promise<void> {
    controller.signal.throwIfAborted();
    if (!(await claims.renew(claim))) stop('lost', LOST);
    controller.signal.throwIfAborted();
  }

  const beats = setInterval(() => void beat(), BEAT_MS);
  const left = Math.min(deadline - now(), LONGEST_TIMER_MS);
  const timeUp = setTimeout(() => stop('time', "the worker's time is up"), left);
  const end = () => {
    clearInterval(beats);
    clearTimeout(timeUp);
  };
  return { signal: controller.signal, stop, confirm, end };
}
