import * as z from 'zod/mini';
import { firstEventId } from '../../domain/ids.ts';
import { filterEntry, refuseEmptyRange, time } from './fields.ts';

/** The filters of events, and of what is listed by event. */
export const eventFilter = {
  type: z.optional(filterEntry.check(z.describe('A type of event, or a prefix with `.*`.'))),
  since: z.optional(time.check(z.describe('Of events from this time on.'))),
  until: z.optional(time.check(z.describe('Of events before this time.'))),
};

/** The ids of events between which the time range lies; both are outside of it. */
export function idsAround({ since, until }: { readonly since?: string; readonly until?: string }) {
  if (since && until) refuseEmptyRange(Date.parse(since), Date.parse(until));
  return {
    after: since && firstEventId(Date.parse(since)),
    before: until && firstEventId(Date.parse(until)),
  };
}
