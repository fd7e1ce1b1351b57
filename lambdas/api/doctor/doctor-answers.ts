import * as z from 'zod/mini';
import { named, textOf } from '../http/answers.ts';

/** What `GET /v1/doctor` answers. */
export const doctorAnswer = named(
  'Doctor',
  z.object({
    checks: z
      .array(
        z.object({
          name: textOf('What was looked at.'),
          state: z.enum(['ok', 'warning', 'failed']).check(z.describe('How it is.')),
          detail: textOf('What was found, in a sentence.'),
          remedy: z.optional(textOf('What to do, unless all is well.')),
        }),
      )
      .check(z.describe('Made at this call; only what Topaz answered may be up to 60 s old.')),
    version: textOf('Of the package that is deployed.'),
  }),
);
