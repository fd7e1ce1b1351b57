import type * as z from 'zod/mini';
import type {
  deliveryAnswer,
  replayAnswer,
  replayIdAnswer,
} from '../lambdas/api/deliveries/delivery-answers.ts';
import type { replaySchema } from '../lambdas/api/deliveries/replay-schema.ts';
import type { doctorAnswer } from '../lambdas/api/doctor/doctor-answers.ts';
import type {
  acknowledgedAnswer,
  endpointAnswer,
  endpointWithSecretAnswer,
  eventIdAnswer,
  messagesAnswer,
  secretAnswer,
  urlTestAnswer,
} from '../lambdas/api/endpoints/endpoint-answers.ts';
import type {
  endpointChangeSchema,
  endpointSchema,
  rotationSchema,
} from '../lambdas/api/endpoints/endpoint-schemas.ts';
import type { eventAnswer } from '../lambdas/api/events/event-answers.ts';
import type { problemAnswer } from '../lambdas/api/http/answers.ts';
import type { parkedAnswer } from '../lambdas/api/parked/parked-answers.ts';
import type { registrationSchema } from '../lambdas/api/requests/registration-schema.ts';
import type { batchAnswer, requestAnswer, signedUrlAnswer } from '../lambdas/api/requests/request-answers.ts';
import type { timelineAnswer } from '../lambdas/api/requests/timeline-answer.ts';
import type { historyAnswer, statsAnswer, whoamiAnswer } from '../lambdas/api/stats/stats-answers.ts';

// Inferred from the schemas that the API validates with and describes itself by. None of them is imported at
// run time. Times are ISO 8601 UTC, sizes bytes, durations ms.

/** A tracked request; not to be confused with the `Request` of `fetch`. */
export type VideoRequest = z.output<typeof requestAnswer>;
export type Timeline = z.output<typeof timelineAnswer>;
export type BatchItem = z.output<typeof batchAnswer>['items'][number];
export type BridgeEvent = z.output<typeof eventAnswer>;
export type SignedUrl = z.output<typeof signedUrlAnswer>;
export type Endpoint = z.output<typeof endpointAnswer>;
export type EndpointWithSecret = z.output<typeof endpointWithSecretAnswer>;
export type Secret = z.output<typeof secretAnswer>;
export type EventId = z.output<typeof eventIdAnswer>;
/** `attempt` is missing when it took too long to wait for. */
export type UrlTest = EventId & Partial<z.output<typeof urlTestAnswer>>;
export type Messages = z.output<typeof messagesAnswer>;
export type Acknowledged = z.output<typeof acknowledgedAnswer>;
export type Delivery = z.output<typeof deliveryAnswer>;
export type Attempt = Delivery['attempts'][number];
export type ReplayId = z.output<typeof replayIdAnswer>;
export type Replay = z.output<typeof replayAnswer>;
export type Parked = z.output<typeof parkedAnswer>;
export type Stats = z.output<typeof statsAnswer>;
export type History = z.output<typeof historyAnswer>;
export type Doctor = z.output<typeof doctorAnswer>;
export type Whoami = z.output<typeof whoamiAnswer>;
export type ProblemDetails = z.output<typeof problemAnswer>;

/** Bodies of calls. */
export type Registration = z.input<ReturnType<typeof registrationSchema>>;
export type NewEndpoint = z.input<ReturnType<typeof endpointSchema>>;
export type EndpointChange = z.input<ReturnType<typeof endpointChangeSchema>>;
export type Rotation = z.input<typeof rotationSchema>;
export type NewReplay = z.input<typeof replaySchema>;

export type Page<T> = { readonly items: T[]; readonly cursor?: string };
