import * as z from 'zod/mini';
import { eventsOf } from '../../adapters/rows/events.ts';
import type { EventRow } from '../../domain/events/event.ts';
import { payload } from '../../domain/events/event.ts';
import type { Registration } from '../../domain/requests/registration.ts';
import { REQUEST_STATES } from '../../domain/requests/request.ts';
import { isExpired } from '../../domain/retention.ts';
import { requestIdOf } from '../../domain/rows.ts';
import type { Due } from '../../domain/work.ts';
import type { Caller } from '../http/auth.ts';
import type { ApiContext } from '../http/context.ts';
import { paging } from '../http/lists.ts';
import { collectPage, type ItemPage } from '../http/paging.ts';
import { createdAndGone, notFound, Problem } from '../http/problem.ts';
import { type Answer, ok, type Route, route } from '../http/route.ts';
import { iso } from '../http/time.ts';
import { createParkedList } from '../parked/parked-rows.ts';
import { eventListAnswer } from './event-answers.ts';
import { createRegister } from './registration.ts';
import { isUuid, registrationSchema } from './registration-schema.ts';
import { requestAnswer, requestListAnswer, SHOWN_STATES, signedUrlAnswer } from './request-answers.ts';
import { parkedRow, requestView, type ShownState, shownState } from './request-view.ts';
import { type SignGet, storedObject } from './signed-url.ts';
import { timeline } from './timeline.ts';
import { timelineAnswer } from './timeline-answer.ts';
import { createRequests, type Listed, type ShownRequest, type TrackedRequest } from './tracked-requests.ts';
import { createTracking } from './tracking.ts';

/** Requests that a search looks through per call. */
const SEARCHED = 2_000;
const flag = z.optional(z.enum(['true', 'false']));
const listQuery = z.strictObject({
  ...paging,
  state: z.optional(z.enum(SHOWN_STATES)),
  status: z.optional(z.string().check(z.minLength(1), z.maxLength(100))),
  q: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
});

export function requestRoutes(context: ApiContext, signGet: SignGet): Route[] {
  const { table, hints, lists, now } = context;
  const requests = createRequests(table, now);
  const listParked = createParkedList(table);
  const register = createRegister(context);
  const { pollNow, stop } = createTracking(context);

  async function tracked(id: string | undefined): Promise<TrackedRequest> {
    const found = await requests.get(uuid(id));
    if (!found) throw notFound('request');
    return found;
  }

  const view = async (status: number, requestId: string, caller: Caller): Promise<Answer> =>
    shown(status, await tracked(requestId), caller);

  async function list(
    { state, status, q }: { state?: ShownState; status?: string; q?: string },
    from: { limit: number; after: string | undefined },
    caller: Caller,
  ): Promise<ItemPage<unknown>> {
    const states = REQUEST_STATES.filter((each) => state === undefined || each === state);
    const isParked = state === 'parked';
    return collectPage({
      ...from,
      filtered: status !== undefined || q !== undefined,
      ...(q === undefined ? {} : { maxCandidates: SEARCHED }),
      scan: isParked ? listParked : (after, limit) => requests.list(states, after, limit),
      show: async (entries: readonly Listed[]) => {
        const ids = entries.map(({ key }) => requestIdOf(key));
        const found = await (isParked ? requests.getMany(ids) : requests.getListed(ids));
        return found.map((each, i) => {
          if (!each || (state && shownState(each) !== state)) return undefined;
          // One with several parked rows is listed where the last of them is.
          if (isParked && parkedRow(each)?.sk !== entries[i]?.key.sk) return undefined;
          if (status !== undefined && each.request.status !== status) return undefined;
          return q === undefined || contains(each, q) ? requestView(each, caller) : undefined;
        });
      },
    });
  }

  async function events(
    { request, meta }: TrackedRequest,
    from: { limit: number; after: string | undefined },
  ): Promise<ItemPage<unknown>> {
    return collectPage({
      ...from,
      filtered: false,
      scan: async (after, limit) => {
        const page = { ...eventsOf(request.requestId), after, limit };
        const { rows, more } = await table.query<EventRow>(page);
        return { entries: rows.map((row) => ({ position: row.sk, row })), more };
      },
      show: (entries) =>
        entries.map(({ row }) => (isExpired(row, now()) ? undefined : payload(row, meta.metadata))),
    });
  }

  return [
    route({
      name: 'registerRequest',
      method: 'POST',
      path: '/v1/requests',
      access: 'admin',
      summary: 'Tracks a request, or adds a callback to one that is tracked.',
      query: z.strictObject({ restart: flag }),
      body: registrationSchema(context),
      answers: { 200: requestAnswer, 201: requestAnswer },
      handle: async ({ caller, query, body, once }) => {
        const registration = normalized(body);
        let due: readonly Due[] = [];
        const { status } = await once(async (commit) => {
          const registered = await register(registration, query.restart === 'true', commit);
          due = registered.due;
          return registered.outcome;
        });
        await hints.send(due);
        const registered = await requests.get(registration.requestId);
        if (!registered) throw createdAndGone('request');
        return shown(status, registered, caller);
      },
    }),
    route({
      name: 'listRequests',
      method: 'GET',
      path: '/v1/requests',
      access: 'read',
      summary: 'Lists requests, the newest first; `q` looks through the newest 2,000 from the cursor on.',
      query: listQuery,
      answers: { 200: requestListAnswer },
      handle: (call) => lists(call, (from) => list(call.query, from, call.caller)),
    }),
    route({
      name: 'getRequest',
      method: 'GET',
      path: '/v1/requests/{requestId}',
      access: 'read',
      summary: 'Shows a request.',
      answers: { 200: requestAnswer },
      handle: ({ caller, params }) => view(200, uuid(params.requestId), caller),
    }),
    route({
      name: 'listRequestEvents',
      method: 'GET',
      path: '/v1/requests/{requestId}/events',
      access: 'read',
      summary: "Lists a request's events, the oldest first.",
      query: z.strictObject(paging),
      answers: { 200: eventListAnswer },
      handle: async (call) => {
        const request = await tracked(call.params.requestId);
        return lists(call, (from) => events(request, from));
      },
    }),
    route({
      name: 'getRequestTimeline',
      method: 'GET',
      path: '/v1/requests/{requestId}/timeline',
      access: 'read',
      summary: "Shows a request's statuses, progress, copy, events and deliveries, with reasons.",
      answers: { 200: timelineAnswer },
      handle: async ({ params }) => ok(await timeline(context, await tracked(params.requestId))),
    }),
    route({
      name: 'getVideo',
      method: 'GET',
      path: '/v1/requests/{requestId}/video',
      access: 'read',
      summary:
        'Redirects to the stored video, as a download or with `inline=true` for a player. With "Accept: application/json" it answers the URL instead.',
      query: z.strictObject({ inline: flag }),
      answers: { 200: signedUrlAnswer, 302: null },
      handle: async ({ params, query, accept }) => {
        const { video } = (await tracked(params.requestId)).request;
        const stored = storedObject(video);
        if (!stored) throw new Problem(404, 'The video is not stored: see `video` of the request.');
        const { url, expiresAt } = await signGet({ ...stored, inline: query.inline === 'true' });
        const headers = { vary: 'accept' };
        if (!accept.includes('application/json'))
          return { status: 302, headers: { ...headers, location: url } };
        return { status: 200, headers, body: { url, expiresAt: iso(expiresAt) } };
      },
    }),
    route({
      name: 'pollRequest',
      method: 'POST',
      path: '/v1/requests/{requestId}/poll',
      access: 'admin',
      summary:
        'Polls a request now and releases its parked work. If all polling is paused, this poll is the probe that ends the pause.',
      answers: { 202: requestAnswer },
      handle: async ({ caller, params, once }) => {
        const requestId = uuid(params.requestId);
        let due: readonly Due[] = [];
        const { status } = await once(async (commit) => {
          const woken = await pollNow(requestId, commit);
          due = woken.due;
          return woken.outcome;
        });
        await hints.send(due);
        return view(status, requestId, caller);
      },
    }),
    route({
      name: 'stopRequest',
      method: 'DELETE',
      path: '/v1/requests/{requestId}',
      access: 'admin',
      summary: 'Stops tracking a request; `purge=true` also erases its data and cancels its deliveries.',
      query: z.strictObject({ purge: flag }),
      answers: { 204: null },
      handle: async ({ params, query }) => {
        await hints.send(await stop(uuid(params.requestId), { purge: query.purge === 'true' }));
        return { status: 204 };
      },
    }),
  ];
}

const shown = (status: number, found: TrackedRequest, caller: Caller): Answer => ({
  status,
  body: requestView(found, caller),
  ...(status === 201 ? { headers: { location: `/v1/requests/${found.request.requestId}` } } : {}),
});

/** A request's id as rows hold it; anything but a UUID cannot be one. */
function uuid(id: string | undefined): string {
  if (id === undefined || !isUuid(id)) throw notFound('request (ids are UUIDs)');
  return id.toLowerCase();
}

/** Whether a request's id, a value of its metadata or one of its error texts contains the text, in any case. */
function contains({ request, meta, parked }: ShownRequest, text: string): boolean {
  const { requestId, message, errorCode, video, lastError } = request;
  const reasons = parked.map((row) => row.parked?.reason);
  const texts = [requestId, message, errorCode, video?.error, lastError?.reason, ...reasons];
  const sought = text.toLowerCase();
  return [...texts, ...Object.values(meta.metadata)].some((each) => each?.toLowerCase().includes(sought));
}

/** Upper and lower case write the same UUID. */
export const normalized = (registration: Registration): Registration => ({
  ...registration,
  requestId: registration.requestId.toLowerCase(),
});
