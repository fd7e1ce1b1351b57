import { LEASE_MS, type RowKey } from '../work.ts';

/** How the attempts of a gate are spaced and counted; the row is written by compare and swap on `version`. */
export type LimiterState = {
  /** The earliest time of the next attempt, by the rate limit; ms since epoch. */
  readonly nextAt: number;
  /** Until when each attempt under way counts at most, by the nonce of its claim. */
  readonly busy: Readonly<Record<string, number>>;
};
export type LimiterRow = RowKey & LimiterState & { version: number; expiresAt: number };

export type SlotRequest = {
  readonly nonce: string;
  readonly now: number;
  /** Until when the attempt counts as under way, should it never say that it has ended. */
  readonly until: number;
  /** Attempts at a time. */
  readonly atOnce?: number;
  readonly perSecond?: number;
  /** How long it can wait for its turn, ms. */
  readonly maxWaitMs: number;
};

export type Admission = { readonly turns: LimiterState; readonly sendAt: number };

/** So that no second sees one more than the limit, however the exchanges jitter. */
const MARGIN = 1.05;

/** Between two attempts within a rate limit, ms. */
export const intervalMs = (perSecond: number): number => (1_000 * MARGIN) / perSecond;

/** How far ahead attempts are planned at most, ms, beyond the interval to the next. */
export const AHEAD_MS = 8_000;

/**
 * A time planned by others, or `now` when it has passed. Nobody plans further ahead than that: such a
 * time was written by a clock that was wrong, or within another rate limit, and says nothing.
 */
export const planned = (time: number, now: number, interval: number): number =>
  time > now + interval + AHEAD_MS ? now : Math.max(now, time);

export const UNUSED: LimiterState = { nextAt: 0, busy: {} };

/** Whether an attempt still counts; a time further ahead than leases last is a wrong clock's. */
const isBusy = (until: number, now: number): boolean => until > now && until <= now + 2 * LEASE_MS;

export const busyAt = (turns: LimiterState, now: number): number =>
  Object.values(turns.busy).filter((until) => isBusy(until, now)).length;

/** The attempt's turn, and the turns after it; undefined when it is not soon enough. */
export function admit(turns: LimiterState, asked: SlotRequest): Admission | undefined {
  const { nonce, now, until, atOnce, perSecond, maxWaitMs } = asked;
  if (atOnce !== undefined && busyAt(turns, now) >= atOnce) return undefined;
  const interval = perSecond === undefined ? 0 : intervalMs(perSecond);
  const sendAt = perSecond === undefined ? now : planned(turns.nextAt, now, interval);
  if (sendAt - now > maxWaitMs) return undefined;
  const busy = Object.entries(turns.busy).filter(([, end]) => isBusy(end, now));
  return {
    sendAt,
    turns: {
      nextAt: perSecond === undefined ? turns.nextAt : sendAt + interval,
      busy: Object.fromEntries(atOnce === undefined ? busy : [...busy, [nonce, until]]),
    },
  };
}
