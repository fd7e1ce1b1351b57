import * as z from 'zod/mini';
import { headerRefusal, MAX_HEADERS } from '../../domain/delivering/custom-headers.ts';
import {
  CREATED_KINDS,
  DEFAULT_KIND,
  kindErrors,
} from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { EndpointSettings } from '../../domain/delivering/endpoint-kinds/traits.ts';
import { isSecret } from '../../domain/delivering/signing-secret.ts';
import { EVENT_TYPES } from '../../domain/events/event-types.ts';
import { filter, rule, targetUrl, wellFormed } from '../http/fields.ts';
import { mapOwnFields } from './own-fields.ts';

/** Deliveries per second; by a lower rate, the next one would be farther away than a delivery is kept. */
const MIN_RATE = 0.001;
const MAX_RATE = 1_000;
const MAX_OVERLAP_HOURS = 168;

const headers = z.record(z.string(), z.string()).check(
  z.check<Record<string, string>>((context) => {
    const names = Object.keys(context.value);
    const refuse = (path: string[], message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path, message, continue: true });
    if (names.length > MAX_HEADERS) refuse([], `These are too many headers: give at most ${MAX_HEADERS}.`);
    const seen = new Set<string>();
    for (const [name, value] of Object.entries(context.value)) {
      const refusal = headerRefusal(name, value);
      if (refusal) refuse([name], refusal);
      else if (seen.has(name.toLowerCase())) refuse([name], 'This header is given twice: remove one.');
      seen.add(name.toLowerCase());
    }
  }),
);

const secret = z
  .string()
  .check(
    rule((text) =>
      isSecret(text) ? undefined : 'This is not a signing secret; give whsec_ and base64 of 24 to 64 bytes.',
    ),
  );

const rateLimit = z.number().check(z.minimum(MIN_RATE), z.maximum(MAX_RATE));

type SchemaOptions = EndpointSettings & { readonly allowLoopback: boolean };

/** The fields that a single kind of endpoints has. */
const ownFields = (settings: EndpointSettings) =>
  mapOwnFields(({ description, pattern, mismatch, refusal }) =>
    z.optional(
      z.string().check(
        z.regex(pattern, { error: mismatch, abort: true }),
        rule((text) => refusal?.(text, settings)),
        z.describe(description),
      ),
    ),
  );

/** The fields that both bodies take alike. */
const sharedFields = (options: SchemaOptions) => ({
  url: z.optional(targetUrl(options).check(z.describe('Where events of an `http` endpoint are posted to.'))),
  ...ownFields(options),
  description: z.optional(z.string().check(z.maxLength(500), wellFormed, z.describe('A note for people.'))),
  ordered: z.optional(z.boolean().check(z.describe('Whether each delivery waits for the one before.'))),
});

/** The body that creates an endpoint. */
export function endpointSchema(options: SchemaOptions) {
  return z
    .strictObject({
      kind: z.optional(z.enum(CREATED_KINDS).check(z.describe('Default `http`.'))),
      ...sharedFields(options),
      events: z.optional(
        filter.check(z.describe('Types, or prefixes with `.*`; default `video.*` and `endpoint.*`.')),
      ),
      enabled: z.optional(z.boolean().check(z.describe('Default true.'))),
      rateLimit: z.optional(rateLimit.check(z.describe('Deliveries per second.'))),
      headers: z.optional(headers.check(z.describe('Sent with each delivery; their values are write-only.'))),
      secret: z.optional(secret.check(z.describe('`whsec_` and base64; by default a fresh one.'))),
    })
    .check(
      z.check((context) => {
        for (const { path, message } of kindErrors(context.value.kind ?? DEFAULT_KIND, context.value)) {
          context.issues.push({
            code: 'custom',
            input: context.value,
            path: [path],
            message,
            continue: true,
          });
        }
      }),
    );
}

/** The body that changes an endpoint. */
export function endpointChangeSchema(options: SchemaOptions) {
  return z.strictObject({
    ...sharedFields(options),
    events: z.optional(filter.check(z.describe('Types, or prefixes with `.*`.'))),
    enabled: z.optional(
      z.boolean().check(z.describe('Whether it receives; otherwise its deliveries are held.')),
    ),
    rateLimit: z.optional(
      z.nullable(rateLimit).check(z.describe('Deliveries per second; null for no limit.')),
    ),
    headers: z.optional(headers.check(z.describe('Replace all of its headers; `{}` removes them.'))),
  });
}

/** The body that rotates a secret. */
export const rotationSchema = z.strictObject({
  overlapHours: z.optional(
    z
      .number()
      .check(
        z.minimum(0),
        z.maximum(MAX_OVERLAP_HOURS),
        z.describe('For how many hours the old secret also signs; default 24.'),
      ),
  ),
  secret: z.optional(secret.check(z.describe('`whsec_` and base64; by default a fresh one.'))),
});

/** The body that asks for a test. */
export function endpointTestSchema(options: SchemaOptions) {
  return z.strictObject({
    type: z.optional(z.enum(EVENT_TYPES).check(z.describe('Default `endpoint.test`.'))),
    url: z.optional(
      targetUrl(options).check(
        z.describe('Sends it there once, instead of to the endpoint, and answers the attempt.'),
      ),
    ),
  });
}
