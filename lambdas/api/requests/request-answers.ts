import * as z from 'zod/mini';
import { VIDEO_STATES } from '../../domain/requests/request.ts';
import { countOf, named, pageOf, problemAnswer, textOf, timeOf } from '../http/answers.ts';
import { SHOWN_STATES } from './request-view.ts';

const failure = z.object({ at: timeOf('When it failed.'), reason: textOf('Why, in words.') });

const video = z.object({
  state: z.enum(VIDEO_STATES).check(z.describe('How far the copy is.')),
  copiedBytes: z.optional(countOf('Bytes that are in the bucket.')),
  bytesPerSecond: z.optional(z.number().check(z.describe('How fast it is copied.'))),
  bucket: z.optional(textOf('Where it is stored.')),
  key: z.optional(textOf('The key of the object in the bucket.')),
  size: z.optional(countOf('Bytes.')),
  contentType: z.optional(textOf('As Topaz serves it, such as `video/mp4`.')),
  checksum: z.optional(
    z
      .object({
        algorithm: textOf('Such as `CRC32`.'),
        value: textOf('Base64, of the whole object.'),
      })
      .check(z.describe('S3 verified it.')),
  ),
  storedAt: z.optional(timeOf('When the copy was complete.')),
  previous: z.optional(
    z
      .object({ bucket: textOf('Its bucket.'), key: textOf('Its key.') })
      .check(z.describe('Where an earlier run of the request stored another video; it stays there.')),
  ),
  error: z.optional(textOf('Why the copy failed.')),
  lastError: z.optional(failure.check(z.describe('Why the copy waits; gone when it makes progress.'))),
});

/** What `GET /v1/requests/{requestId}` answers. */
export const requestAnswer = named(
  'Request',
  z.object({
    requestId: z.string().check(z.meta({ format: 'uuid', description: 'The id that Topaz gave it.' })),
    state: z
      .enum(SHOWN_STATES)
      .check(z.describe('`parked` waits for a person; `done`: upstream and the copy, if any, have ended.')),
    status: textOf('As upstream names it; "registered" before the first poll.'),
    progress: z.nullable(z.number().check(z.describe('Percent.'))),
    statusSince: timeOf('When the bridge saw this status first.'),
    sequence: countOf('The number of the last event.'),
    registeredAt: timeOf('When it was registered first.'),
    lastPolledAt: z.nullable(timeOf('Null before the first poll.')),
    nextPollAt: z.nullable(timeOf('Null when it is no longer polled.')),
    polls: countOf('How often Topaz was asked.'),
    expectedEndAt: z.optional(
      timeOf(
        'When Topaz will probably finish, from the progress so far or its estimate; absent when unknown.',
      ),
    ),
    estimates: z.optional(
      z
        .object({
          cost: z.optional(z.array(z.number()).check(z.describe('Credits.'))),
          time: z.optional(z.array(z.number()).check(z.describe('Seconds.'))),
        })
        .check(z.describe('Lower and upper bounds, as Topaz gives them.')),
    ),
    averageFps: z.optional(z.number().check(z.describe('Frames per second of a node.'))),
    combinedFps: z.optional(z.number().check(z.describe('Frames per second of all nodes.'))),
    outputSize: z.optional(
      z.union([z.number(), z.string()]).check(z.describe('Bytes, or a text, as Topaz gives it.')),
    ),
    processingJobs: z.optional(
      z
        .array(z.record(z.string(), z.unknown()))
        .check(z.describe('The chunks of the video, as Topaz reports them.')),
    ),
    message: z.optional(textOf('What Topaz says of a failure.')),
    errorCode: z.optional(textOf("Topaz's code of a failure.")),
    lastError: z.optional(
      failure.check(z.describe('Why the last poll brought no status; gone when one does.')),
    ),
    metadata: z.record(z.string(), z.string()).check(z.describe('As it was registered; events carry it.')),
    callbacks: z
      .array(
        z.object({
          endpointId: textOf('Begins with `ep_c`.'),
          url: textOf('Keys that may only read see only its origin.'),
          events: z.array(z.string()).check(z.describe('The types that it receives.')),
        }),
      )
      .check(z.describe('Endpoints that receive the events of this request only.')),
    video: z.nullable(video.check(z.describe('Null until a copy is due.'))),
    parked: z.optional(
      z
        .object({ reason: textOf('Why the last try failed.'), since: timeOf('When it was parked.') })
        .check(z.describe('Present while work on it waits for a person.')),
    ),
  }),
);

named('RequestList', pageOf(requestAnswer));

export const batchAnswer = named(
  'BatchResult',
  z.object({
    items: z
      .array(
        z.object({
          requestId: z.nullable(textOf('Null where the item had none.')),
          status: z.int().check(z.describe('What `POST /v1/requests` would have answered.')),
          error: z.optional(problemAnswer),
        }),
      )
      .check(z.describe('In the order of the call.')),
  }),
);

export const signedUrlAnswer = named(
  'SignedUrl',
  z.object({
    url: textOf('Needs no key, so pass it on with care.'),
    expiresAt: timeOf('Until when it works.'),
  }),
);
