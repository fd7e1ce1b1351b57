import * as z from 'zod/mini';
import { type RequestState, VIDEO_STATES } from '../../domain/requests/request.ts';
import { count, named, pageOf, problemAnswer, shownTime } from '../http/answers.ts';

/** The states of a request as the API shows them: one that waits for a person is `parked`. */
export const SHOWN_STATES = ['active', 'parked', 'done', 'stopped'] as const satisfies (
  | RequestState
  | 'parked'
)[];

const failure = z.object({ at: shownTime, reason: z.string() });

const video = z.object({
  state: z.enum(VIDEO_STATES),
  copiedBytes: z.optional(count),
  bytesPerSecond: z.optional(z.number()),
  bucket: z.optional(z.string()),
  key: z.optional(z.string()),
  size: z.optional(count.check(z.describe('Bytes.'))),
  contentType: z.optional(z.string()),
  checksum: z.optional(z.object({ algorithm: z.string(), value: z.string() })),
  storedAt: z.optional(shownTime),
  previous: z.optional(
    z
      .object({ bucket: z.string(), key: z.string() })
      .check(z.describe('Where an earlier run of the request stored another video; it stays there.')),
  ),
  error: z.optional(z.string().check(z.describe('Why the copy failed.'))),
  lastError: z.optional(failure.check(z.describe('Why the copy waits; gone when it makes progress.'))),
});

/** What `GET /v1/requests/{requestId}` answers. */
export const requestAnswer = named(
  'Request',
  z.object({
    requestId: z.string().check(z.meta({ format: 'uuid' })),
    state: z
      .enum(SHOWN_STATES)
      .check(z.describe('`parked` waits for a person; `done`: upstream and the copy, if any, have ended.')),
    status: z.string().check(z.describe('As upstream names it; "registered" before the first poll.')),
    progress: z.nullable(z.number().check(z.describe('Percent.'))),
    statusSince: shownTime,
    sequence: count.check(z.describe('The number of the last event.')),
    registeredAt: shownTime,
    lastPolledAt: z.nullable(shownTime),
    nextPollAt: z.nullable(shownTime),
    polls: count,
    estimates: z.optional(
      z
        .object({ cost: z.optional(z.array(z.number())), time: z.optional(z.array(z.number())) })
        .check(z.describe('Lower and upper bounds: cost in credits, time in seconds.')),
    ),
    averageFps: z.optional(z.number()),
    combinedFps: z.optional(z.number()),
    outputSize: z.optional(z.union([z.number(), z.string()])),
    processingJobs: z.optional(z.array(z.record(z.string(), z.unknown()))),
    message: z.optional(z.string()),
    errorCode: z.optional(z.string()),
    lastError: z.optional(
      failure.check(z.describe('Why the last poll gave no answer; gone with the next answer.')),
    ),
    metadata: z.record(z.string(), z.string()),
    callbacks: z.array(z.object({ endpointId: z.string(), url: z.string(), events: z.array(z.string()) })),
    video: z.nullable(video),
    parked: z.optional(z.object({ reason: z.string(), since: shownTime })),
  }),
);

export const requestListAnswer = named('RequestList', pageOf(requestAnswer));

export const batchAnswer = named(
  'BatchResult',
  z.object({
    items: z.array(
      z.object({
        requestId: z.nullable(z.string()),
        status: z.int().check(z.describe('What `POST /v1/requests` would have answered.')),
        error: z.optional(problemAnswer),
      }),
    ),
  }),
);

export const signedUrlAnswer = named('SignedUrl', z.object({ url: z.string(), expiresAt: shownTime }));
