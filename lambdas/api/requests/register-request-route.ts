import * as z from 'zod/mini';
import type { ApiContext } from '../http/context.ts';
import { flag } from '../http/fields.ts';
import { createdAndGone } from '../http/problem.ts';
import { type Route, route } from '../http/route.ts';
import { createRegister } from './register.ts';
import { normalized, registrationSchema } from './registration-schema.ts';
import { requestView } from './request-view.ts';
import { createRequests } from './tracked-requests.ts';

/** `POST /v1/requests` */
export function registerRequestRoute(context: ApiContext): Route {
  const { table, hints, now } = context;
  const requests = createRequests(table, now);
  const register = createRegister(context);
  return route({
    name: 'registerRequest',
    method: 'POST',
    path: '/v1/requests',
    access: 'admin',
    summary: 'Tracks a request, or adds a callback to one that is tracked.',
    query: z.strictObject({
      restart: flag('Whether a request that has ended or was stopped is polled again.'),
    }),
    body: registrationSchema(context),
    answers: { 200: 'Request', 201: 'Request' },
    handle: async ({ caller, query, body, once }) => {
      const registration = normalized(body);
      const { status, due } = await once((commit) =>
        register(registration, query.restart === 'true', commit),
      );
      await hints.send(due);
      const registered = await requests.get(registration.requestId);
      if (!registered) throw createdAndGone('request');
      return {
        status,
        body: requestView(registered, caller),
        ...(status === 201 ? { headers: { location: `/v1/requests/${registration.requestId}` } } : {}),
      };
    },
  });
}
