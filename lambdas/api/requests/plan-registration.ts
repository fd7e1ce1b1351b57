import { ConditionFailed } from '../../adapters/dynamodb/condition-failed.ts';
import { absent, asRead, equals, present, type Write } from '../../adapters/dynamodb/expression.ts';
import { callbackEndpoint } from '../../domain/delivering/callback-endpoint.ts';
import type { EventRow } from '../../domain/events/event.ts';
import { asksForProgress } from '../../domain/events/event-filter.ts';
import {
  type Addition,
  addition,
  freshTracking,
  LEFT_BY_A_RUN,
  newRequest,
  type Registration,
} from '../../domain/requests/registration.ts';
import type { Callback, MetaRow, RequestRow } from '../../domain/requests/request.ts';
import { type CountChange, countChanges } from '../../domain/requests/request-counts.ts';
import { isExpired } from '../../domain/retention.ts';
import { copyKey, metaKey } from '../../domain/rows.ts';
import { type Due, dueOf } from '../../domain/work.ts';
import { wake } from '../../engine/wake.ts';
import { callbackUse, ensured } from '../../rows/endpoints.ts';
import { conflict } from '../http/problem.ts';
import type { Found } from './find-requests.ts';
import { outboxOf } from './tracked-requests.ts';

/** The writes of a registration, for one transaction, and what is due after it. */
export type Plan = {
  readonly status: 200 | 201;
  readonly writes: readonly Write[];
  readonly due: readonly Due[];
  /** How it changes the counts of requests; the same transaction writes them. */
  readonly counts: readonly CountChange[];
  readonly restarts: boolean;
};

/** What a registration writes. Throws a problem for what contradicts the request as it is tracked. */
export function planRegistration(
  registration: Registration,
  restart: boolean,
  found: Found,
  now: number,
  retentionDays: number,
): Plan {
  const endpointWrite = (callback: Callback): Write[] => {
    const there = found.endpoints.get(callback.endpointId);
    const write = ensured(callbackEndpoint(callback, now), there, now, retentionDays);
    const use = callbackUse(callback.endpointId, registration.requestId, now, retentionDays);
    return write ? [write, use] : [use];
  };
  const { request, meta } = found;
  if (!request || isExpired(request, now)) return begin(registration, found, now, endpointWrite);
  if (request.purged) throw conflict('The request is being erased: try again in a minute.');
  if (!meta) throw new ConditionFailed([0], new Map()); // another call began to track it while the rows were read

  const tracked = { ...found, request, meta };
  const added = addition(registration, meta);
  if (added.kind === 'conflict') throw conflict(added.reason, [{ path: added.field, message: added.reason }]);
  if (restart && found.copy?.lane !== undefined)
    throw conflict('The copy is not finished: try again when it is.');
  const callback = callbackToAdd(added, found);
  const restarting = restart && request.state !== 'active';
  const kept = restarting ? meta.callbacks.filter(({ endpointId }) => found.endpoints.has(endpointId)) : [];
  const endpoints = [...kept, ...(callback ? [callback] : [])].flatMap(endpointWrite);
  if (!restarting && !callback)
    return { status: 200, writes: endpoints, due: [], counts: [], restarts: false };
  const change = { restarting, callback, copy: registration.copy };
  const planned = [requestWrite(tracked, change, now), outboxWrite(tracked, change, now)];
  return {
    status: 200,
    restarts: restarting,
    counts: restarting ? countChanges(request, { ...freshTracking(now), expiresAt: undefined }) : [],
    writes: [
      ...planned.map(({ write }) => write),
      metaWrite(tracked, change),
      ...(restarting ? [{ check: copyKey(registration.requestId), if: [absent('lane')] }] : []),
      ...endpoints,
    ],
    due: planned.flatMap(({ due }) => (due ? [due] : [])),
  };
}

/** A callback that is new, or whose endpoint was deleted. */
function callbackToAdd(added: Addition, { endpoints }: Found): Callback | undefined {
  if (added.kind === 'callback') return added.callback;
  return added.kind === 'known' && !endpoints.has(added.callback.endpointId) ? added.callback : undefined;
}

/** Tracks a request that is not tracked; where an earlier tracking has left rows, its numbers go on. */
function begin(
  registration: Registration,
  { request: left, outbox: leftOutbox, lastEvent }: Found,
  now: number,
  endpointWrite: (callback: Callback) => Write[],
): Plan {
  // DynamoDB deletes expired rows in no order, so the newest event may be gone before older ones.
  const last = left ?? leftOutbox?.last ?? (lastEvent && countersOf(lastEvent));
  const { request, meta, outbox } = newRequest(registration, now, last);
  const free = left ? equals('expiresAt', left.expiresAt) : absent('pk');
  return {
    status: 201,
    restarts: false,
    counts: countChanges(undefined, request),
    writes: [
      { put: request, if: [free] },
      { put: meta },
      { put: outbox },
      ...meta.callbacks.flatMap(endpointWrite),
    ],
    due: [dueOf(request)],
  };
}

/** The numbers that the last event of a request was given. */
const countersOf = ({ data, position, occurredAt }: EventRow) => ({
  sequence: Number(data.sequence),
  position,
  lastEventAt: occurredAt,
});

type Change = {
  readonly restarting: boolean;
  readonly callback: Callback | undefined;
  readonly copy: boolean | undefined;
};
type Tracked = Found & { readonly request: RequestRow; readonly meta: MetaRow };
type Planned = { readonly write: Write; readonly due?: Due };

/** The request still as it was read; a restart makes it due, and a callback may ask for progress. */
function requestWrite({ request }: Tracked, change: Change, now: number): Planned {
  const asIs = [equals('state', request.state), equals('startedAt', request.startedAt), absent('purged')];
  const tellProgress = change.callback && asksForProgress([change.callback]) ? true : undefined;
  if (change.restarting) {
    return wake(request, 'poll', now, {
      set: { ...freshTracking(now), tellProgress, copy: change.copy },
      remove: LEFT_BY_A_RUN,
      if: [...asIs, equals('status', request.status), asRead('expiresAt', request.expiresAt)],
    });
  }
  return { write: { update: request, set: { tellProgress }, if: asIs } };
}

/** A request that is restarted no longer expires. */
const expiryOf = ({ restarting }: Change): string[] => (restarting ? ['expiresAt'] : []);

function metaWrite({ request, meta }: Tracked, change: Change): Write {
  const { callback } = change;
  return {
    update: metaKey(request.requestId),
    set: callback && !meta.callbacks.includes(callback) ? { callbacks: [...meta.callbacks, callback] } : {},
    remove: [...expiryOf(change), ...(change.restarting ? ['processingJobs', 'progressSeries'] : [])],
    if: [equals('callbacks', meta.callbacks)],
  };
}

/** The callback begins at the first event that it was not sent. A worker that fans out at this moment starts again. */
function outboxWrite({ request, outbox }: Tracked, change: Change, now: number): Planned {
  const key = outboxOf(request.requestId);
  const remove = expiryOf(change);
  if (!change.callback) return { write: { update: key, remove, if: [present('pk')] } };
  return wake({ ...key, dueAt: outbox?.dueAt }, 'dispatch', now, {
    set: { [`callbackCursors.${change.callback.endpointId}`]: 0 },
    remove,
    if: [present('pk')],
  });
}
