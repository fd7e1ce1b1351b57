import * as z from 'zod/mini';
import { filterEntry, time } from '../http/fields.ts';

/** The body of a replay. */
export const replaySchema = z.strictObject({
  since: time.check(z.describe('The first time of the events.')),
  until: z.optional(time.check(z.describe('Events from this time on are left out; default now.'))),
  state: z.optional(z.enum(['failed', 'all']).check(z.describe('Default `failed`.'))),
  type: z.optional(
    filterEntry.check(z.describe('Only of this type of event, or of a prefix with `.*`; default all.')),
  ),
});
