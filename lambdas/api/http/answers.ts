import * as z from 'zod/mini';

/** The schemas that the API's document names, by their names in it. */
export const answers = z.registry<{ readonly id: string }>();

/** Gives a schema its name in the document. */
export const named = <T extends z.ZodMiniType>(id: string, schema: T): T => {
  answers.add(schema, { id });
  return schema;
};

/** A time as answers show it: ISO 8601 UTC. */
const shownTime = z.string().check(z.meta({ format: 'date-time' }));
/** A whole number from 0. */
const count = z.int().check(z.nonnegative());

// Fields of answers, each with what the document says of it.
export const textOf = (description: string) => z.string().check(z.describe(description));
export const timeOf = (description: string) => shownTime.check(z.describe(description));
export const countOf = (description: string) => count.check(z.describe(description));

/** A page of a list, newest first unless the call says otherwise. */
export const pageOf = <T extends z.ZodMiniType>(item: T) =>
  z.object({
    items: z.array(item).check(z.describe('The items of this page.')),
    cursor: z.optional(textOf('Where the next page begins; the last page has none.')),
  });

/** A refusal (RFC 9457). */
export const problemAnswer = named(
  'Problem',
  z.object({
    type: textOf('Always `about:blank`: the status says what kind of problem it is.'),
    title: textOf('The name of the status.'),
    status: z.int().check(z.describe('The HTTP status.')),
    detail: textOf('What is wrong, and what to do.'),
    errors: z.optional(
      z
        .array(
          z.object({
            path: textOf('Where the field is, such as `items.0.requestId`.'),
            message: textOf('What is wrong with it, and what to give.'),
          }),
        )
        .check(z.describe('The wrong fields, each with its remedy.')),
    ),
  }),
);
