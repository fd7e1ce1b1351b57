import * as z from 'zod/mini';
import { DELIVERY_STATES } from '../../domain/delivering/delivery.ts';
import { REPLAY_STATES } from '../../domain/delivering/replay.ts';
import { count, named, pageOf, shownTime } from '../http/answers.ts';

/** One try at sending, with what was answered or why nothing was. */
export const attempt = z.object({
  at: shownTime,
  durationMs: z.number(),
  statusCode: z.optional(z.int()),
  error: z.optional(z.string().check(z.describe('The class of a failure without an answer.'))),
  reason: z.optional(z.string().check(z.describe('Why it failed, in words.'))),
  body: z.optional(z.string().check(z.describe('How the answer began.'))),
});

/** What `GET /v1/deliveries/{id}` answers. */
export const deliveryAnswer = named(
  'Delivery',
  z.object({
    id: z.string(),
    eventId: z.string(),
    endpointId: z.string(),
    requestId: z.optional(z.string()),
    type: z.string(),
    timestamp: shownTime.check(z.describe('When the event was observed.')),
    state: z.enum(DELIVERY_STATES),
    nextAttemptAt: z.optional(shownTime),
    attemptCount: z.int().check(z.describe('All there were; `attempts` holds the last ones.')),
    attempts: z.array(attempt),
  }),
);

export const deliveryListAnswer = named('DeliveryList', pageOf(deliveryAnswer));

export const replayIdAnswer = named('ReplayId', z.object({ replayId: z.string() }));

export const replayAnswer = named(
  'Replay',
  z.object({
    id: z.string(),
    endpointId: z.string(),
    state: z.enum(REPLAY_STATES),
    matched: count.check(z.describe('Deliveries that it is about.')),
    queued: count,
    done: count.check(z.describe('Those that have ended.')),
    since: shownTime,
    until: shownTime,
  }),
);
