import { intervalMs } from '../../rate-interval.ts';
import { LEASE_MS, type RowKey } from '../../work.ts';
import type { Limit } from './standing.ts';

/** How the attempts of a limiter are spaced and counted. */
export type LimiterState = {
  /** The earliest time of the next attempt, by the rate limit; ms since epoch. */
  readonly nextAt: number;
  /** Until when each attempt under way counts at most, by the nonce of its claim. */
  readonly busy: Readonly<Record<string, number>>;
};

/** Written under the condition that `version` is the one read. */
export type LimiterRow = RowKey &
  LimiterState & {
    version: number;
    /** The claim that was granted a slot last, and its time: a worker that lost the answer finds it here. */
    grantedTo?: string;
    grantedAt?: number;
    /** s since epoch */
    expiresAt: number;
  };

export type SlotRequest = {
  readonly nonce: string;
  readonly now: number;
  /** How long the attempt can wait for its time, ms. */
  readonly maxWaitMs: number;
};

/** How far ahead attempts are planned at most, ms, beyond the interval to the next. */
export const AHEAD_MS = 8_000;

/**
 * A time that others planned, or `now` when it has passed. No worker plans further ahead than
 * {@link AHEAD_MS}: a later time was written by a wrong clock, or within another rate limit, and is ignored.
 */
export const planned = (time: number, now: number, interval: number): number =>
  time > now + interval + AHEAD_MS ? now : Math.max(now, time);

export const UNUSED: LimiterState = { nextAt: 0, busy: {} };

/** Whether an attempt still counts; a time further ahead than leases last is a wrong clock's. */
const isBusy = (until: number, now: number): boolean => until > now && until <= now + 2 * LEASE_MS;

/** Attempts under way. */
export const busyAt = (state: LimiterState, now: number): number =>
  Object.values(state.busy).filter((until) => isBusy(until, now)).length;

/** The time of the attempt, and the limiter after it; undefined when no slot is free soon enough. */
export function grant(
  state: LimiterState,
  { atOnce, perSecond }: Omit<Limit, 'key'>,
  { nonce, now, maxWaitMs }: SlotRequest,
): { readonly state: LimiterState; readonly sendAt: number } | undefined {
  if (atOnce !== undefined && busyAt(state, now) >= atOnce) return undefined;
  const interval = perSecond === undefined ? 0 : intervalMs(perSecond);
  const sendAt = perSecond === undefined ? now : planned(state.nextAt, now, interval);
  if (sendAt - now > maxWaitMs) return undefined;
  const busy = Object.entries(state.busy).filter(([, until]) => isBusy(until, now));
  return {
    sendAt,
    state: {
      nextAt: perSecond === undefined ? state.nextAt : sendAt + interval,
      busy: Object.fromEntries(atOnce === undefined ? busy : [...busy, [nonce, now + LEASE_MS]]),
    },
  };
}
