import type { RowKey, Work } from '../work.ts';
import type { Attempt } from './attempt.ts';

/** The task to send one sample event, signed by an endpoint's secret, to any URL: once, whatever is answered. */
export type UrlTestRow = RowKey &
  Work & {
    endpointId: string;
    eventId: string;
    startedAt: number;
    /** Where it goes and what is sent; removed when it was sent. */
    url?: string;
    body?: string;
    /** How it ended. */
    attempt?: Attempt;
    expiresAt: number;
  };

/** How long after its start a test may still be under way, ms: waiting for a worker, and an attempt's 15 s. */
const UNDER_WAY_MS = 60_000;
/** Between the starts of two tests, ms: with it a test is for looking at answers, and not for sending many. */
const MIN_INTERVAL_MS = 2_000;

/** How long to wait until the endpoint's next test may start, ms; 0 if it may at once. */
export function waitForUrlTest(last: UrlTestRow | undefined, now: number): number {
  if (!last) return 0;
  const pause = last.attempt === undefined ? UNDER_WAY_MS : MIN_INTERVAL_MS;
  return Math.max(0, last.startedAt + pause - now);
}
