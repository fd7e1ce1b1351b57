import * as z from 'zod/mini';
import type { Caller } from '../http/auth.ts';
import type { ApiContext } from '../http/context.ts';
import { flag } from '../http/fields.ts';
import { ok, type Route, route } from '../http/route.ts';
import { knownRequest, uuid } from './known-request.ts';
import { listRequestEventsRoute } from './list-request-events-route.ts';
import { listRequestsRoute } from './list-requests-route.ts';
import { registerRequestRoute } from './register-request-route.ts';
import { requestView } from './request-view.ts';
import type { SignGet } from './signed-url.ts';
import { timeline } from './timeline.ts';
import { createRequests } from './tracked-requests.ts';
import { createTracking } from './tracking.ts';
import { videoRoute } from './video-route.ts';

export function requestRoutes(context: ApiContext, signGet: SignGet): Route[] {
  const { table, hints, now } = context;
  const requests = createRequests(table, now);
  const { pollNow, stop } = createTracking(context);

  const view = async (id: string | undefined, caller: Caller) =>
    requestView(await knownRequest(requests, id), caller);

  return [
    registerRequestRoute(context),
    listRequestsRoute(context),
    route({
      name: 'getRequest',
      method: 'GET',
      path: '/v1/requests/{requestId}',
      access: 'read',
      summary: 'Shows a request.',
      answers: { 200: 'Request' },
      handle: async ({ caller, params }) => ok(await view(params.requestId, caller)),
    }),
    listRequestEventsRoute(context),
    route({
      name: 'getRequestTimeline',
      method: 'GET',
      path: '/v1/requests/{requestId}/timeline',
      access: 'read',
      summary: "Shows a request's statuses, progress, copy, events and deliveries, with reasons.",
      answers: { 200: 'Timeline' },
      handle: async ({ caller, params }) =>
        ok(await timeline(context, await knownRequest(requests, params.requestId), caller)),
    }),
    videoRoute(context, signGet),
    route({
      name: 'pollRequest',
      method: 'POST',
      path: '/v1/requests/{requestId}/poll',
      access: 'admin',
      summary:
        'Polls a request now and releases its parked work. If all polling is paused, this poll is the probe that ends the pause.',
      answers: { 202: 'Request' },
      handle: async ({ caller, params, once }) => {
        const requestId = uuid(params.requestId);
        const { status, due } = await once((commit) => pollNow(requestId, commit));
        await hints.send(due);
        return { status, body: await view(requestId, caller) };
      },
    }),
    route({
      name: 'stopRequest',
      method: 'DELETE',
      path: '/v1/requests/{requestId}',
      access: 'admin',
      summary: 'Stops tracking a request; `purge=true` also erases its data and cancels its deliveries.',
      query: z.strictObject({ purge: flag('Whether its data are erased, too.') }),
      answers: { 204: null },
      handle: async ({ params, query }) => {
        await hints.send(await stop(uuid(params.requestId), { purge: query.purge === 'true' }));
        return { status: 204 };
      },
    }),
  ];
}
