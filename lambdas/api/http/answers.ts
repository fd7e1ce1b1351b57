import * as z from 'zod/mini';

/** The schemas that the API's document names, by their names in it. */
export const answers = z.registry<{ readonly id: string }>();

/** Gives a schema its name in the document. */
export const named = <T extends z.ZodMiniType>(id: string, schema: T): T => {
  answers.add(schema, { id });
  return schema;
};

/** A time as answers show it: ISO 8601 UTC. */
export const shownTime = z.string().check(z.meta({ format: 'date-time' }));
/** A whole number from 0. */
export const count = z.int().check(z.nonnegative());

/** A page of a list, newest first unless the call says otherwise. */
export const pageOf = <T extends z.ZodMiniType>(item: T) =>
  z.object({
    items: z.array(item),
    cursor: z.optional(z.string().check(z.describe('Where the next page begins; the last page has none.'))),
  });

/** A refusal (RFC 9457). */
export const problemAnswer = named(
  'Problem',
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().check(z.describe('What is wrong, and what to do.')),
    errors: z.optional(
      z
        .array(z.object({ path: z.string(), message: z.string() }))
        .check(z.describe('The wrong fields, each with its remedy.')),
    ),
  }),
);
