import * as z from 'zod/mini';
import { EVENT_TYPES } from '../../domain/events/event-types.ts';
import { countOf, named, pageOf, textOf, timeOf } from '../http/answers.ts';

const data = z.looseObject({
  requestId: z.optional(textOf('The request that it is about.')),
  sequence: z.optional(countOf("Numbers a request's events 1, 2, 3, …")),
  status: z.optional(textOf('As Topaz names it.')),
  previousStatus: z.optional(
    z.nullable(z.string()).check(z.describe('The status of the event before; null in the first.')),
  ),
  skipped: z.optional(
    z
      .array(z.string())
      .check(
        z.describe(
          'The statuses between the two that no poll saw, in the order that upstream documents; only when it went forward.',
        ),
      ),
  ),
});

/** An event as it is sent. */
export const eventAnswer = named(
  'Event',
  z.object({
    id: textOf('The same in every attempt and replay: the `webhook-id`.'),
    type: z.enum(EVENT_TYPES).check(z.describe('What happened.')),
    timestamp: timeOf('When the bridge observed it.'),
    data: data.check(z.describe('Only gains fields: ignore those that you do not know.')),
  }),
);

export const eventListAnswer = named('EventList', pageOf(eventAnswer));
