import * as z from 'zod/mini';
import { VIDEO_STATES } from '../../domain/requests/request.ts';
import { deliveryAnswer } from '../deliveries/delivery-answers.ts';
import { count, named, shownTime } from '../http/answers.ts';

/** What `GET /v1/requests/{requestId}/timeline` answers. */
export const timelineAnswer = named(
  'Timeline',
  z.object({
    statuses: z.array(
      z.object({
        status: z.string(),
        at: shownTime,
        until: z.optional(shownTime),
        skipped: z.optional(
          z.array(z.string()).check(z.describe('The statuses before this one that no poll saw.')),
        ),
      }),
    ),
    observations: z
      .array(z.object({ at: shownTime, progress: z.number() }))
      .check(z.describe('At most 200 points of the progress; thinned so that the shape stays.')),
    polls: count,
    copy: z.nullable(
      z.object({
        state: z.enum(VIDEO_STATES),
        startedAt: z.optional(shownTime),
        storedAt: z.optional(shownTime),
        copiedBytes: z.optional(count),
        bytesPerSecond: z.optional(z.number()),
        size: z.optional(count),
        error: z.optional(z.string()),
      }),
    ),
    events: z.array(z.object({ id: z.string(), type: z.string(), at: shownTime, sequence: count })),
    deliveries: z.array(
      z.extend(deliveryAnswer, {
        reason: z.optional(z.string().check(z.describe('Why it has not arrived, in words.'))),
      }),
    ),
  }),
);
