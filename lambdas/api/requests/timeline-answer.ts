import * as z from 'zod/mini';
import { VIDEO_STATES } from '../../domain/requests/request.ts';
import { deliveryAnswer } from '../deliveries/delivery-answers.ts';
import { countOf, named, textOf, timeOf } from '../http/answers.ts';

/** What `GET /v1/requests/{requestId}/timeline` answers. */
export const timelineAnswer = named(
  'Timeline',
  z.object({
    statuses: z
      .array(
        z.object({
          status: textOf('As upstream names it; "registered" at the beginning and at a restart.'),
          at: timeOf('When a poll saw it first.'),
          until: z.optional(timeOf('When a poll saw the next one.')),
          skipped: z.optional(
            z.array(z.string()).check(z.describe('The statuses before this one that no poll saw.')),
          ),
        }),
      )
      .check(z.describe('The oldest first.')),
    observations: z
      .array(
        z.object({
          at: timeOf('When a poll saw it.'),
          progress: z.number().check(z.describe('Percent.')),
        }),
      )
      .check(z.describe('The progress in at most 200 points, chosen so that its shape stays.')),
    polls: countOf('How often Topaz was asked.'),
    copy: z.nullable(
      z
        .object({
          state: z.enum(VIDEO_STATES).check(z.describe('How far it is.')),
          startedAt: z.optional(timeOf('When it began.')),
          storedAt: z.optional(timeOf('When it was complete.')),
          copiedBytes: z.optional(countOf('Bytes that are in the bucket.')),
          bytesPerSecond: z.optional(z.number().check(z.describe('How fast it goes.'))),
          size: z.optional(countOf('Bytes in all.')),
          error: z.optional(textOf('Why it failed.')),
        })
        .check(z.describe('Null until a copy is due.')),
    ),
    events: z
      .array(
        z.object({
          id: textOf('For `GET /v1/events/{id}`.'),
          type: textOf('What happened.'),
          at: timeOf('When the bridge observed it.'),
          sequence: countOf('Its number; `progress.updated` carries the last one.'),
        }),
      )
      .check(z.describe('The last 100, the oldest first.')),
    deliveries: z
      .array(
        z.extend(deliveryAnswer, {
          reason: z.optional(textOf('Why it has not arrived, in words.')),
        }),
      )
      .check(
        z.describe(
          'Those of the events, the oldest first; the last ones where an answer has no room for all.',
        ),
      ),
  }),
);
