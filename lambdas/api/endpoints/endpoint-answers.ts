import * as z from 'zod/mini';
import { ENDPOINT_KINDS } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { attempt } from '../deliveries/delivery-answers.ts';
import { count, named, pageOf, shownTime } from '../http/answers.ts';
import { mapOwnFields } from './own-fields.ts';

/** What `GET /v1/endpoints/{id}` answers. */
export const endpointAnswer = named(
  'Endpoint',
  z.object({
    id: z.string(),
    kind: z.enum(ENDPOINT_KINDS),
    url: z.optional(z.string()),
    ...mapOwnFields(() => z.optional(z.string())),
    events: z.array(z.string()),
    description: z.string(),
    enabled: z.boolean(),
    disabledReason: z.optional(z.string()),
    rateLimit: z.optional(z.number().check(z.describe('Deliveries per second.'))),
    ordered: z.boolean(),
    headers: z.record(z.string(), z.string().check(z.describe('Values are write-only.'))),
    createdAt: shownTime,
    health: z.object({
      state: z.enum(['healthy', 'failing', 'disabled']),
      failingSince: z.optional(shownTime),
      lastDeliveredAt: z.optional(shownTime),
      nextProbeAt: z.optional(
        shownTime.check(z.describe('When one of the deliveries that wait is tried, while others are held.')),
      ),
    }),
  }),
);

export const endpointWithSecretAnswer = named(
  'EndpointWithSecret',
  z.extend(endpointAnswer, { secret: z.string() }),
);

export const endpointListAnswer = named('EndpointList', pageOf(endpointAnswer));

export const eventIdAnswer = named('EventId', z.object({ eventId: z.string() }));

/** How a test of any URL ended. */
export const urlTestAnswer = named('UrlTest', z.object({ eventId: z.string(), attempt }));

export const secretAnswer = named(
  'Secret',
  z.object({
    secret: z.string(),
    previous: z.optional(
      z
        .object({ secret: z.string(), expiresAt: shownTime })
        .check(z.describe('Signs along until it expires.')),
    ),
  }),
);

export const messagesAnswer = named(
  'Messages',
  z.object({
    items: z.array(
      z.object({
        headers: z
          .record(z.string(), z.string())
          .check(z.describe('Those of Standard Webhooks, which sign the body.')),
        body: z.string().check(z.describe('The bytes that were signed: verify before you parse.')),
      }),
    ),
  }),
);

export const acknowledgedAnswer = named('Acknowledged', z.object({ acknowledged: count }));
