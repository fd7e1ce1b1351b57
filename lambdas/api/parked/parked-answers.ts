import * as z from 'zod/mini';
import { named, pageOf, textOf, timeOf } from '../http/answers.ts';
import { PARKED_KINDS } from './parked-view.ts';

const KINDS = Object.keys(PARKED_KINDS) as (keyof typeof PARKED_KINDS)[];
const meanings = Object.entries(PARKED_KINDS).map(([kind, meaning]) => `${kind}: ${meaning}`);

/** Work that waits for a person, as `GET /v1/parked` shows it. */
export const parkedAnswer = named(
  'Parked',
  z.object({
    id: textOf('For `POST /v1/parked/{id}/release`.'),
    kind: z.enum(KINDS).check(z.describe(meanings.join('; '))),
    reason: textOf('Why its last try failed.'),
    since: timeOf('When it was parked.'),
    requestId: z.optional(textOf('The request that it belongs to.')),
    endpointId: z.optional(textOf('The endpoint that it belongs to.')),
    deliveryId: z.optional(textOf('The delivery that it is.')),
    replayId: z.optional(textOf('The replay that it is.')),
  }),
);

named('ParkedList', pageOf(parkedAnswer));
