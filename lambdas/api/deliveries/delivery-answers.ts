import * as z from 'zod/mini';
import { DELIVERY_STATES } from '../../domain/delivering/delivery.ts';
import { REPLAY_STATES } from '../../domain/delivering/replay.ts';
import { countOf, named, pageOf, textOf, timeOf } from '../http/answers.ts';

/** One try at sending, with what was answered or why nothing was. */
export const attempt = z.object({
  at: timeOf('When it began.'),
  durationMs: z.number().check(z.describe('How long it took, ms.')),
  statusCode: z.optional(z.int().check(z.describe('The status code of the answer, if there was one.'))),
  error: z.optional(textOf('The class of a failure without an answer.')),
  reason: z.optional(textOf('Why it failed, in words.')),
  body: z.optional(textOf('The beginning of the answer.')),
});

/** What `GET /v1/deliveries/{id}` answers. */
export const deliveryAnswer = named(
  'Delivery',
  z.object({
    id: textOf('Begins with `dlv_`.'),
    eventId: textOf('The id of the event, and of the webhook in every attempt.'),
    endpointId: textOf('The endpoint that it goes to.'),
    requestId: z.optional(textOf('The request that the event is about, if it is about one.')),
    type: textOf('The type of the event.'),
    timestamp: timeOf('When the event was observed.'),
    state: z
      .enum(DELIVERY_STATES)
      .check(
        z.describe(
          '`held` waits for its endpoint to be enabled or to answer again; `failed` was tried for three days; `canceled`: the endpoint was deleted.',
        ),
      ),
    nextAttemptAt: z.optional(timeOf('When the next attempt is planned; absent when none is.')),
    attemptCount: z.int().check(z.describe('How many attempts there were; `attempts` holds the last ones.')),
    attempts: z.array(attempt).check(z.describe('The last attempts, the oldest first.')),
  }),
);

named('DeliveryList', pageOf(deliveryAnswer));

export const replayIdAnswer = named(
  'ReplayId',
  z.object({ replayId: textOf('For `GET /v1/replays/{id}`.') }),
);

export const replayAnswer = named(
  'Replay',
  z.object({
    id: textOf('Begins with `rpl_`.'),
    endpointId: textOf('The endpoint that gets its deliveries again.'),
    state: z.enum(REPLAY_STATES).check(z.describe('`queueing` while it still looks for deliveries.')),
    matched: countOf('Deliveries that the replay sends again.'),
    queued: countOf('How many of them are in the queue of the endpoint so far.'),
    done: countOf('How many of them have ended.'),
    since: timeOf('Events from this time on are sent.'),
    until: timeOf('Events from this time on are left out.'),
  }),
);
