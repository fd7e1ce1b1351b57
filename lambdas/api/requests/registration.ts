import { absent, equals, present } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { ConditionFailed, type Write } from '../../adapters/dynamodb/table.ts';
import { ensured } from '../../adapters/rows/endpoints.ts';
import { callbackEndpoint } from '../../domain/delivering/callback-endpoint.ts';
import { asksForProgress } from '../../domain/events/event-filter.ts';
import {
  type Addition,
  addition,
  freshTracking,
  LEFT_BY_A_RUN,
  newRequest,
  type Registration,
} from '../../domain/requests/registration.ts';
import type { Callback, RequestRow } from '../../domain/requests/request.ts';
import { isExpired } from '../../domain/retention.ts';
import { copyKey, endpointKey, metaKey, requestKey } from '../../domain/rows.ts';
import { type Due, dueOf } from '../../domain/work.ts';
import { wake } from '../../engine/wake.ts';
import type { ApiContext } from '../http/context.ts';
import type { Commit, Outcome } from '../http/idempotency.ts';
import { conflict } from '../http/problem.ts';
import { createRequests, outboxOf, type TrackedRequest } from './tracked-requests.ts';

export type Registered = { readonly outcome: Outcome; readonly due: readonly Due[] };

/**
 * Registers a request, or adds to one that is tracked: each in one transaction, so that nobody sees
 * half of it. Registering again resets nothing; a restart polls an ended request again.
 */
export function createRegister({ table, now }: Pick<ApiContext, 'table' | 'now'>) {
  const requests = createRequests(table, now);

  return async function register(
    registration: Registration,
    restart: boolean,
    commit: Commit,
  ): Promise<Registered> {
    return optimistic(async () => {
      const at = now();
      const { requestId } = registration;
      const tracked = await requests.get(requestId);
      if (!tracked)
        return begin(registration, await table.get<RequestRow>(requestKey(requestId)), at, commit);

      const added = addition(registration, tracked.meta);
      if (added.kind === 'conflict') {
        throw conflict(added.reason, [{ path: added.field, message: added.reason }]);
      }
      const callback = await callbackToAdd(added);
      if (restart && tracked.copy?.lane !== undefined) {
        throw conflict('The copy is not finished: try again when it is.');
      }
      const restarting = restart && tracked.request.state !== 'active';
      const change = { restarting, callback, copy: registration.copy };
      const { writes, due } = restarting || callback ? additionWrites(tracked, change, at) : NOTHING;
      const outcome = await commit(writes, { status: 200, ids: { requestId } });
      return { outcome, due };
    });
  };

  /** A callback that is new, or whose endpoint was deleted. */
  async function callbackToAdd(added: Addition): Promise<Callback | undefined> {
    if (added.kind === 'callback') return added.callback;
    if (added.kind !== 'known') return undefined;
    const endpoint = await table.get(endpointKey(added.callback.endpointId));
    return endpoint ? undefined : added.callback;
  }

  /** Tracks a request that nobody tracks; one whose rows expired and are not deleted yet counts on. */
  async function begin(
    registration: Registration,
    left: RequestRow | undefined,
    at: number,
    commit: Commit,
  ): Promise<Registered> {
    if (left && !isExpired(left, at)) {
      if (left.purged) throw conflict('The request is being erased: try again in a minute.');
      throw new ConditionFailed([0], new Map()); // somebody tracks it since it was looked for
    }
    const { request, meta, outbox } = newRequest(registration, at, left);
    const free = left ? equals('expiresAt', left.expiresAt) : absent('pk');
    const writes: Write[] = [
      { put: request, if: [free] },
      { put: meta },
      { put: outbox },
      ...meta.callbacks.map((callback) => ensured(callbackEndpoint(callback, at))),
    ];
    const outcome = await commit(writes, { status: 201, ids: { requestId: registration.requestId } });
    return { outcome, due: [dueOf(request)] };
  }
}

type Change = {
  readonly restarting: boolean;
  readonly callback: Callback | undefined;
  readonly copy: boolean | undefined;
};

const NOTHING = { writes: [], due: [] };

function additionWrites(tracked: TrackedRequest, change: Change, at: number) {
  const { requestId } = tracked.request;
  const { restarting, callback } = change;
  const request = requestWrite(tracked, change, at);
  const outbox = outboxWrite(tracked, change, at);
  const writes: Write[] = [request.write, metaWrite(tracked, change), outbox.write];
  if (restarting) writes.push({ check: copyKey(requestId), if: [absent('lane')] });
  if (callback) writes.push(ensured(callbackEndpoint(callback, at)));
  return { writes, due: [request.due, outbox.due].filter((due) => due !== undefined) };
}

type Ordered = { readonly write: Write; readonly due?: Due };

/** The request still as it was read; a restart makes it due, and a callback may ask for progress. */
function requestWrite({ request }: TrackedRequest, change: Change, at: number): Ordered {
  const asIs = [equals('state', request.state), equals('startedAt', request.startedAt), absent('purged')];
  const tellProgress = change.callback && asksForProgress([change.callback]) ? true : undefined;
  if (change.restarting) {
    return wake(request, 'poll', at, {
      set: { ...freshTracking(at), tellProgress, copy: change.copy },
      remove: LEFT_BY_A_RUN,
      if: asIs,
    });
  }
  return { write: { update: request, set: { tellProgress }, if: asIs } };
}

/** A request that begins anew no longer expires. */
const expiryOf = ({ restarting }: Change): string[] => (restarting ? ['expiresAt'] : []);

function metaWrite({ request, meta }: TrackedRequest, change: Change): Write {
  const { callback } = change;
  return {
    update: metaKey(request.requestId),
    set: callback && !meta.callbacks.includes(callback) ? { callbacks: [...meta.callbacks, callback] } : {},
    remove: [...expiryOf(change), ...(change.restarting ? ['processingJobs', 'progressSeries'] : [])],
    if: [equals('callbacks', meta.callbacks)],
  };
}

/** The callback begins at the first event that it was not sent. Whoever fans out at this moment begins anew. */
function outboxWrite({ request, outbox }: TrackedRequest, change: Change, at: number): Ordered {
  const key = outboxOf(request.requestId);
  const remove = expiryOf(change);
  if (!change.callback) return { write: { update: key, remove, if: [present('pk')] } };
  return wake({ ...key, dueAt: outbox?.dueAt }, 'dispatch', at, {
    set: { [`callbackCursors.${change.callback.endpointId}`]: 0 },
    remove,
    if: [present('pk')],
  });
}
