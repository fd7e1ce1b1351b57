import * as z from 'zod/mini';
import { ENDPOINT_KINDS } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { attempt } from '../deliveries/delivery-answers.ts';
import { countOf, named, pageOf, textOf, timeOf } from '../http/answers.ts';
import { mapOwnFields } from './own-fields.ts';

/** What `GET /v1/endpoints/{id}` answers. */
export const endpointAnswer = named(
  'Endpoint',
  z.object({
    id: textOf('Begins with `ep_`.'),
    kind: z.enum(ENDPOINT_KINDS).check(z.describe('How it receives; `callback` belongs to requests.')),
    url: z.optional(textOf('Where events are posted to; keys that may only read see only its origin.')),
    ...mapOwnFields(({ description }) => z.optional(textOf(description))),
    events: z.array(z.string()).check(z.describe('The types that it receives, or prefixes with `.*`.')),
    description: textOf('A note for people.'),
    enabled: z.boolean().check(z.describe('Whether it receives; otherwise its deliveries are held.')),
    disabledReason: z.optional(textOf('Why it is disabled.')),
    rateLimit: z.optional(z.number().check(z.describe('Deliveries per second.'))),
    ordered: z.boolean().check(z.describe('Whether each delivery waits for the one before.')),
    headers: z
      .record(z.string(), z.string())
      .check(z.describe('Sent with each delivery; the values are write-only, and shown as `***`.')),
    createdAt: timeOf('When it was created.'),
    health: z
      .object({
        state: z.enum(['healthy', 'failing', 'disabled']).check(z.describe('By its last attempts.')),
        failingSince: z.optional(timeOf('Since when no attempt has succeeded.')),
        lastDeliveredAt: z.optional(timeOf('When it last accepted a delivery.')),
        nextProbeAt: z.optional(timeOf('When the next probe goes out: one of the deliveries that are held.')),
      })
      .check(z.describe('Whether it accepts deliveries.')),
  }),
);

export const endpointWithSecretAnswer = named(
  'EndpointWithSecret',
  z.extend(endpointAnswer, { secret: textOf('Signs its messages; begins with `whsec_`.') }),
);

named('EndpointList', pageOf(endpointAnswer));

export const eventIdAnswer = named('EventId', z.object({ eventId: textOf('For `GET /v1/events/{id}`.') }));

/** How a test of any URL ended. */
export const urlTestAnswer = named(
  'UrlTest',
  z.object({
    eventId: textOf('The id that the sample was sent with.'),
    attempt: attempt.check(z.describe('How it ended.')),
  }),
);

export const secretAnswer = named(
  'Secret',
  z.object({
    secret: textOf('Begins with `whsec_`.'),
    previous: z.optional(
      z
        .object({
          secret: textOf('The previous secret.'),
          expiresAt: timeOf('Until when it signs.'),
        })
        .check(z.describe('Also signs, until it expires.')),
    ),
  }),
);

export const messagesAnswer = named(
  'Messages',
  z.object({
    items: z
      .array(
        z.object({
          headers: z
            .record(z.string(), z.string())
            .check(z.describe('The headers of Standard Webhooks, which sign the body.')),
          body: textOf('The bytes that were signed: verify before you parse.'),
        }),
      )
      .check(z.describe('The messages that are not acknowledged yet, the oldest first.')),
  }),
);

export const acknowledgedAnswer = named(
  'Acknowledged',
  z.object({ acknowledged: countOf('How many messages this call acknowledged; they do not come again.') }),
);
