import * as z from 'zod/mini';
import type { Registration } from '../../domain/requests/registration.ts';
import { jsonBytes } from '../../domain/truncate-utf8.ts';
import { filter, rule, targetUrl, wellFormed } from '../http/fields.ts';

const MAX_METADATA_PAIRS = 50;
const MAX_METADATA_BYTES = 8_192;
export const MAX_BATCH = 100;

const UUID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;
export const isUuid = (text: string): boolean => UUID.test(text);

const requestId = z.string().check(
  z.regex(UUID, 'This is not a UUID; give the id that Topaz gave the request.'),
  z.meta({
    description: 'The id that Topaz gave the request.',
    examples: ['9f8b6c1e-4c1d-4a53-9b57-0c6a3f1f4d20'],
  }),
);

const metadata = z
  .record(
    z.string().check(z.minLength(1), z.maxLength(40), wellFormed),
    z.string().check(z.maxLength(500), wellFormed),
  )
  .check(
    rule((pairs) => {
      const entries = Object.entries(pairs);
      if (entries.length > MAX_METADATA_PAIRS)
        return `These are too many pairs: give at most ${MAX_METADATA_PAIRS}.`;
      // Without the quotes.
      const bytes = entries.flat().reduce((sum, text) => sum + jsonBytes(text) - 2, 0);
      return bytes > MAX_METADATA_BYTES
        ? `The pairs together are too long: shorten them to ${MAX_METADATA_BYTES} bytes of JSON, in which an escaped character takes two to six.`
        : undefined;
    }),
  );

/** The body that registers a request. */
export function registrationSchema(options: { readonly allowLoopback: boolean }) {
  return z
    .strictObject({
      requestId,
      callbackUrl: z.optional(
        targetUrl(options).check(
          z.describe('Receives the events of this request only, signed with the callback secret.'),
        ),
      ),
      events: z.optional(filter.check(z.describe('What the callback receives; default `video.*`.'))),
      metadata: z.optional(metadata.check(z.describe('Pairs that its events carry, at most 50 and 8 KiB.'))),
      copy: z.optional(
        z.boolean().check(z.describe('Whether the video is stored in the bucket; default true.')),
      ),
    })
    .check(
      z.check((context) => {
        const { callbackUrl, events } = context.value;
        if (!events || callbackUrl) return;
        const message = '`events` filters what a callback receives; add `callbackUrl`, or remove `events`.';
        context.issues.push({ code: 'custom', input: events, path: ['events'], message, continue: true });
      }),
    );
}

/** The body of a batch. Its items are parsed one by one, so that a wrong one spoils no other. */
export const batchSchema = z.strictObject({
  items: z.array(z.unknown()).check(z.minLength(1), z.maxLength(MAX_BATCH)),
});

/** Upper and lower case write the same UUID. */
export const normalized = (registration: Registration): Registration => ({
  ...registration,
  requestId: registration.requestId.toLowerCase(),
});
