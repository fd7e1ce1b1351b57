import * as z from 'zod/mini';
import { headerRefusal, MAX_HEADERS } from '../domain/delivering/custom-headers.ts';
import { CREATED_KINDS, kindErrors } from '../domain/delivering/endpoint-kind.ts';
import { isSecret } from '../domain/delivering/signing-secret.ts';
import { isFilterEntry } from '../domain/events/event-filter.ts';
import { checkTargetUrl, MAX_URL_LENGTH } from '../domain/http/target-url.ts';

const MAX_METADATA_PAIRS = 50;
const MAX_METADATA_BYTES = 8_192;
const MAX_FILTER_ENTRIES = 50;
const MAX_RATE = 1_000;
const MAX_OVERLAP_HOURS = 168;
const MAX_BATCH = 100;
const MAX_ACKNOWLEDGED = 100;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const isUuid = (text: string): boolean => UUID.test(text);

/** A rule of ours, told in a sentence with the remedy; undefined when the value keeps it. */
const rule = <T>(refusal: (value: T) => string | undefined) =>
  z.check<T>((context) => {
    const message = refusal(context.value);
    if (message !== undefined) {
      context.issues.push({ code: 'custom', input: context.value, message, continue: true });
    }
  });

const wellFormed = rule<string>((text) =>
  text.isWellFormed() ? undefined : 'This contains half of a surrogate pair: send valid Unicode.',
);

const requestId = z.string().check(z.regex(UUID, 'This is no UUID: give the id of the request at Topaz.'));

const filter = z
  .array(
    z
      .string()
      .check(
        rule((entry) =>
          isFilterEntry(entry)
            ? undefined
            : 'No event matches this: use an event type, or a prefix such as video.*.',
        ),
      ),
  )
  .check(z.minLength(1), z.maxLength(MAX_FILTER_ENTRIES));

const metadata = z
  .record(
    z.string().check(z.minLength(1), z.maxLength(40), wellFormed),
    z.string().check(z.maxLength(500), wellFormed),
  )
  .check(
    rule((pairs) => {
      const entries = Object.entries(pairs);
      if (entries.length > MAX_METADATA_PAIRS)
        return `These are too many pairs: at most ${MAX_METADATA_PAIRS}.`;
      const bytes = entries.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
      return bytes > MAX_METADATA_BYTES
        ? `This is too long in all: at most ${MAX_METADATA_BYTES} bytes.`
        : undefined;
    }),
  );

const headers = z.record(z.string(), z.string()).check(
  z.check<Record<string, string>>((context) => {
    const names = Object.keys(context.value);
    const refuse = (path: string[], message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path, message, continue: true });
    if (names.length > MAX_HEADERS) refuse([], `These are too many headers: at most ${MAX_HEADERS}.`);
    const seen = new Set<string>();
    for (const [name, value] of Object.entries(context.value)) {
      const refusal = headerRefusal(name, value);
      if (refusal) refuse([name], refusal);
      else if (seen.has(name.toLowerCase())) refuse([name], 'This header is there twice: remove one.');
      seen.add(name.toLowerCase());
    }
  }),
);

const secret = z
  .string()
  .check(
    rule((text) =>
      isSecret(text) ? undefined : 'This is no secret: give whsec_ and base64 of 24 to 64 bytes.',
    ),
  );

const time = z
  .string()
  .check(
    z.iso.datetime({ offset: true, error: 'This is no time: give ISO 8601, such as 2026-11-23T20:15:02Z.' }),
  );

const rateLimit = z.number().check(z.positive(), z.maximum(MAX_RATE));
const description = z.string().check(z.maxLength(500), wellFormed);

type SchemaOptions = {
  readonly allowLoopback: boolean;
  readonly eventBusName?: string | undefined;
};

export type Schemas = ReturnType<typeof createSchemas>;

/** What the bodies of requests must be. Unknown fields are refused by name. */
export function createSchemas({ allowLoopback, eventBusName }: SchemaOptions) {
  const url = z.string().check(
    z.maxLength(MAX_URL_LENGTH, { abort: true }),
    rule((text) => {
      const check = checkTargetUrl(text, { allowLoopback });
      return check.ok ? undefined : check.reason;
    }),
  );

  const busName = z.string().check(
    z.regex(/^[\w./-]{1,256}$/, {
      error: 'This is no name of an event bus: give its name, not its ARN.',
      abort: true,
    }),
    rule((name) => {
      if (name === eventBusName) return undefined;
      return eventBusName === undefined
        ? 'The bridge may use no event bus: deploy it with this one as its setting eventBusName.'
        : `The bridge may use the event bus ${eventBusName} only: give that, or change the setting eventBusName.`;
    }),
  );

  const registration = z
    .strictObject({
      requestId,
      callbackUrl: z.optional(url),
      events: z.optional(filter),
      metadata: z.optional(metadata),
      copy: z.optional(z.boolean()),
    })
    .check(
      z.check((context) => {
        const { callbackUrl, events } = context.value;
        if (!events || callbackUrl) return;
        const message = 'These filter the events of a callback: give a callbackUrl, too.';
        context.issues.push({ code: 'custom', input: events, path: ['events'], message, continue: true });
      }),
    );

  return {
    registration,
    /** The items are parsed one by one, so that a wrong one spoils no other. */
    batch: z.strictObject({ items: z.array(z.unknown()).check(z.minLength(1), z.maxLength(MAX_BATCH)) }),
    endpoint: z
      .strictObject({
        kind: z.optional(z.enum(CREATED_KINDS)),
        url: z.optional(url),
        busName: z.optional(busName),
        events: z.optional(filter),
        description: z.optional(description),
        enabled: z.optional(z.boolean()),
        rateLimit: z.optional(rateLimit),
        ordered: z.optional(z.boolean()),
        headers: z.optional(headers),
        secret: z.optional(secret),
      })
      .check(
        z.check((context) => {
          for (const { path, message } of kindErrors(context.value.kind ?? 'http', context.value)) {
            context.issues.push({
              code: 'custom',
              input: context.value,
              path: [path],
              message,
              continue: true,
            });
          }
        }),
      ),
    endpointChange: z.strictObject({
      url: z.optional(url),
      busName: z.optional(busName),
      events: z.optional(filter),
      description: z.optional(description),
      enabled: z.optional(z.boolean()),
      rateLimit: z.optional(z.nullable(rateLimit)),
      ordered: z.optional(z.boolean()),
      headers: z.optional(headers),
    }),
    rotation: z.strictObject({
      overlapHours: z.optional(z.number().check(z.minimum(0), z.maximum(MAX_OVERLAP_HOURS))),
      secret: z.optional(secret),
    }),
    replay: z.strictObject({
      since: time,
      until: z.optional(time),
      state: z.optional(z.enum(['failed', 'all'])),
    }),
    acknowledgement: z.strictObject({
      ids: z.array(z.string()).check(z.minLength(1), z.maxLength(MAX_ACKNOWLEDGED)),
    }),
    nothing: z.strictObject({}),
  };
}
