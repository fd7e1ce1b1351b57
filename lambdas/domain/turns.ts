import type { RowKey } from './work.ts';

/** How a gate's deliveries take turns; the row is written by compare and swap on `version`. */
export type Turns = {
  /** The earliest time of the next attempt, by the rate limit; ms since epoch. */
  readonly nextAt: number;
  /** Until when each attempt under way counts at most, by the nonce of its claim. */
  readonly busy: Readonly<Record<string, number>>;
};
export type TurnsRow = RowKey & Turns & { version: number; expiresAt: number };

export type Wish = {
  readonly nonce: string;
  readonly now: number;
  /** Until when the attempt counts as under way, should it never say that it has ended. */
  readonly until: number;
  /** Attempts at a time. */
  readonly atOnce?: number;
  readonly perSecond?: number;
  /** How long it can wait for its turn, ms. */
  readonly patience: number;
};

export type Admission = { readonly turns: Turns; readonly sendAt: number };

/** So that no second sees one more than the limit, however the exchanges jitter. */
const MARGIN = 1.05;

export const NO_TURNS: Turns = { nextAt: 0, busy: {} };

export const busyAt = (turns: Turns, now: number): number =>
  Object.values(turns.busy).filter((until) => until > now).length;

/** The attempt's turn, and the turns after it; undefined when it is not soon enough. */
export function admit(turns: Turns, wish: Wish): Admission | undefined {
  const { nonce, now, until, atOnce, perSecond, patience } = wish;
  if (atOnce !== undefined && busyAt(turns, now) >= atOnce) return undefined;
  const sendAt = perSecond === undefined ? now : Math.max(now, turns.nextAt);
  if (sendAt - now > patience) return undefined;
  const busy = Object.entries(turns.busy).filter(([, end]) => end > now);
  return {
    sendAt,
    turns: {
      nextAt: perSecond === undefined ? turns.nextAt : sendAt + (1_000 * MARGIN) / perSecond,
      busy: Object.fromEntries(atOnce === undefined ? busy : [...busy, [nonce, until]]),
    },
  };
}
