import { type EventPayload, payload } from '../events/event.ts';
import { sampleData } from '../events/event-samples.ts';
import type { EventType } from '../events/event-types.ts';
import { eventId } from '../ids.ts';
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

/** A test that no worker has begun within this time is not sent, ms. */
const START_WITHIN_MS = 45_000;
/** How long after its start a test may be under way, ms: until a worker begins it, and an attempt's 15 s. */
const UNDER_WAY_MS = START_WITHIN_MS + 15_000;
/** Between the end of a test and the next, ms: a test shows one answer, and must not serve to send many requests. */
const PAUSE_MS = 2_000;

/** How long to wait until the endpoint's next test may start, ms; 0 if it may at once. */
export function waitForUrlTest(last: UrlTestRow | undefined, now: number): number {
  if (!last) return 0;
  const { attempt, startedAt } = last;
  const free = attempt ? attempt.at + attempt.durationMs + PAUSE_MS : startedAt + UNDER_WAY_MS;
  return Math.max(0, free - now);
}

/**
 * Why a test that a worker has claimed does not go out, as the attempt that people see; undefined when it does.
 *
 * @param claimsBefore claims whose worker ended without a result, and may have sent it
 */
export function urlTestUnsent(
  { startedAt }: UrlTestRow,
  { isSignable, claimsBefore, now }: { isSignable: boolean; claimsBefore: number; now: number },
): Attempt | undefined {
  const unsent = (error: string, reason: string): Attempt => ({ at: now, durationMs: 0, error, reason });
  if (!isSignable) return unsent('endpoint_deleted', 'The endpoint was deleted before the test went out.');
  if (claimsBefore > 0)
    return unsent(
      'interrupted',
      'The test was interrupted, and may have gone out: look at the receiver, or test again.',
    );
  if (now - startedAt > START_WITHIN_MS)
    return unsent('too_late', 'The bridge was too busy to send the test in time: test again.');
  return undefined;
}

/** The event of a test that begins now. */
export function urlTestEvent(endpointId: string, type: EventType, now: number): EventPayload {
  // Events of an endpoint count from 1; a test of a URL is not one of them.
  const id = eventId({ occurredAt: now, source: { kind: 'endpoint', endpointId }, position: 0 });
  return payload({ id, type, occurredAt: now, data: sampleData(type, endpointId) });
}
