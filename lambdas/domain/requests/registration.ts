import { createHash } from 'node:crypto';
import type { Counters } from '../events/event.ts';
import { asksForProgress, sameFilter } from '../events/event-filter.ts';
import type { OutboxRow } from '../events/outbox.ts';
import { endpointId } from '../ids.ts';
import { metaKey, outboxKey, requestKey } from '../rows.ts';
import type { Lane } from '../work.ts';
import {
  type Callback,
  DEFAULT_CALLBACK_EVENTS,
  type MetaRow,
  REGISTERED,
  type RequestRow,
  requestList,
  requestListAt,
} from './request.ts';

/** What a user says of a request; what is left out takes its default, or stays as it is. */
export type Registration = {
  readonly requestId: string;
  readonly callbackUrl?: string;
  readonly events?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly copy?: boolean;
};

const MAX_CALLBACKS = 10;

/**
 * The rows of a request that is tracked from now on: first polled at once.
 *
 * @param last the numbers to go on from, when an earlier tracking of it has left some
 */
export function newRequest(
  registration: Registration,
  now: number,
  last: Counters = { sequence: 0, position: 0 },
): { request: RequestRow & { lane: Lane; dueAt: number }; meta: MetaRow; outbox: OutboxRow } {
  const { requestId, metadata = {}, copy = true } = registration;
  const callback = callbackOf(registration);
  const callbacks = callback ? [callback] : [];
  return {
    request: {
      ...requestKey(requestId),
      requestId,
      ...freshTracking(now),
      registeredAt: now,
      polls: 0,
      ...countersOf(last),
      copy,
      ...(asksForProgress(callbacks) ? { tellProgress: true } : {}),
      lane: 'poll',
      dueAt: now,
      listAt: requestListAt({ registeredAt: now, requestId }),
    },
    meta: { ...metaKey(requestId), metadata: { ...metadata }, callbacks },
    outbox: {
      ...outboxKey({ kind: 'request', requestId }),
      ...(last.position > 0 ? { last: countersOf(last) } : {}),
      accountCursor: { position: last.position },
      callbackCursors: Object.fromEntries(callbacks.map((each) => [each.endpointId, last.position])),
    },
  };
}

/** The numbers alone, of what may be a whole row. */
const countersOf = ({ sequence, position, lastEventAt }: Counters): Counters => ({
  sequence,
  position,
  ...(lastEventAt === undefined ? {} : { lastEventAt }),
});

/** What a restart sets; numbers go on. */
export const freshTracking = (now: number) => ({
  state: 'active' as const,
  status: REGISTERED,
  statusSince: now,
  startedAt: now,
  observations: [],
  counted: true as const,
  listKey: requestList('active'),
});

/** What a restart removes: all that the last run of the job has left. */
export const LEFT_BY_A_RUN = [
  'progress',
  'estimates',
  'averageFps',
  'combinedFps',
  'outputSize',
  'message',
  'errorCode',
  'progressToldAt',
  'video',
  'unrecognized',
  'notFoundSince',
  'notFounds',
  'downloadMissing',
  'downloadMissingSince',
  'faults',
  'lastError',
  'refused',
  'urlWanted',
  'expiresAt',
] as const satisfies (keyof RequestRow)[];

/** What registering a tracked request again means for it. */
export type Addition =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'callback'; readonly callback: Callback }
  /** A callback that the request has; its endpoint may have been deleted since. */
  | { readonly kind: 'known'; readonly callback: Callback }
  /** A sentence with the remedy, and the field that it is about. */
  | { readonly kind: 'conflict'; readonly field: string; readonly reason: string };

/** Compares a registration with what is tracked already; nothing of that is ever reset. */
export function addition(registration: Registration, meta: MetaRow): Addition {
  const { metadata, events } = registration;
  if (metadata && !sameMetadata(metadata, meta.metadata)) {
    return conflict(
      'metadata',
      'The request is tracked with other metadata: omit `metadata`, or purge the request first.',
    );
  }
  const callback = callbackOf(registration);
  if (!callback) return { kind: 'nothing' };
  const known = meta.callbacks.find(({ endpointId }) => endpointId === callback.endpointId);
  if (known) {
    if (!events || sameFilter(known.events, events)) return { kind: 'known', callback: known };
    return conflict(
      'events',
      'This `callbackUrl` is registered with other `events`: omit `events`, or use another URL.',
    );
  }
  if (meta.callbacks.length >= MAX_CALLBACKS) {
    return conflict(
      'callbackUrl',
      `The request has ${MAX_CALLBACKS} callbacks, the most there can be: use an account-wide endpoint instead.`,
    );
  }
  return { kind: 'callback', callback };
}

/** The callback that a registration names; its endpoint's id is made of the URL, so equal URLs share one. */
export function callbackOf({
  callbackUrl,
  events = DEFAULT_CALLBACK_EVENTS,
}: Registration): Callback | undefined {
  if (callbackUrl === undefined) return undefined;
  const identity = createHash('sha256').update(callbackUrl).digest();
  return { endpointId: endpointId('callback', identity), url: callbackUrl, events: [...events] };
}

const conflict = (field: string, reason: string): Addition => ({ kind: 'conflict', field, reason });

function sameMetadata(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
