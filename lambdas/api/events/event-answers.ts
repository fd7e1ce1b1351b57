import * as z from 'zod/mini';
import { EVENT_TYPES } from '../../domain/events/event-types.ts';
import { countOf, named, pageOf, textOf, timeOf } from '../http/answers.ts';

const video = z.looseObject({
  bucket: textOf('Where it is stored.'),
  key: textOf('The key of the object in the bucket.'),
  size: countOf('Bytes.'),
  contentType: textOf('As Topaz served it.'),
  checksum: z
    .object({ algorithm: textOf('Such as `CRC32`.'), value: textOf('Base64, of the whole object.') })
    .check(z.describe('S3 verified it.')),
  url: z.optional(textOf('A link that needs no key; each attempt has a new one.')),
  urlExpiresAt: z.optional(timeOf('Until when the link works.')),
});

const data = z.looseObject({
  requestId: z.optional(textOf('The request that it is about.')),
  endpointId: z.optional(textOf('The endpoint that it is about.')),
  sequence: z.optional(countOf("Numbers a request's events 1, 2, 3, …")),
  status: z.optional(textOf('As Topaz names it.')),
  previousStatus: z.optional(
    z.nullable(z.string()).check(z.describe('The status of the previous event; null in the first.')),
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
  progress: z.optional(z.nullable(z.number()).check(z.describe('Percent.'))),
  estimates: z.optional(
    z
      .looseObject({
        cost: z.optional(z.array(z.number()).check(z.describe('Credits.'))),
        time: z.optional(z.array(z.number()).check(z.describe('Seconds.'))),
      })
      .check(z.describe('Lower and upper bounds, as Topaz gives them.')),
  ),
  message: z.optional(textOf('In words, as Topaz or the bridge says it.')),
  errorCode: z.optional(textOf("Topaz's code of a failure.")),
  reason: z.optional(textOf('Why, in words.')),
  video: z.optional(video.check(z.describe('What was stored, and where.'))),
  metadata: z.optional(z.record(z.string(), z.string()).check(z.describe('As given at the registration.'))),
  kind: z.optional(textOf('The kind of the endpoint.')),
  url: z.optional(textOf('The URL of the endpoint.')),
  description: z.optional(textOf('The description of the endpoint.')),
  failingSince: z.optional(timeOf('Since when the endpoint has failed.')),
  test: z.optional(z.boolean().check(z.describe('True in a sample that a person sent.'))),
});

/** An event as it is sent. */
export const eventAnswer = named(
  'Event',
  z.object({
    id: textOf('The same in every attempt and replay: the `webhook-id`.'),
    type: z.enum(EVENT_TYPES).check(z.describe('What happened.')),
    timestamp: timeOf('When the bridge observed it.'),
    data: data.check(z.describe('New fields may be added: ignore those that you do not know.')),
  }),
);

named('EventList', pageOf(eventAnswer));
