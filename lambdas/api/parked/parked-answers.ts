import * as z from 'zod/mini';
import { named, pageOf, shownTime } from '../http/answers.ts';
import { PARKED_KINDS } from './parked-view.ts';

const KINDS = Object.keys(PARKED_KINDS) as (keyof typeof PARKED_KINDS)[];
const meanings = Object.entries(PARKED_KINDS).map(([kind, meaning]) => `${kind}: ${meaning}`);

/** Work that waits for a person, as `GET /v1/parked` shows it. */
export const parkedAnswer = named(
  'Parked',
  z.object({
    id: z.string(),
    kind: z.enum(KINDS).check(z.describe(meanings.join('; '))),
    reason: z.string(),
    since: shownTime,
    requestId: z.optional(z.string()),
    endpointId: z.optional(z.string()),
    deliveryId: z.optional(z.string()),
    replayId: z.optional(z.string()),
  }),
);

export const parkedListAnswer = named('ParkedList', pageOf(parkedAnswer));
