import { ok, type Route, route } from '../http/route.ts';

/** Tells a caller what its key may do, so that a page shows no button that would be refused. */
export const whoamiRoute: Route = route({
  name: 'getWhoami',
  method: 'GET',
  path: '/v1/whoami',
  access: 'read',
  summary: "Shows the name and role of the caller's key.",
  answers: { 200: 'Whoami' },
  handle: async ({ caller: { id, role } }) => ok({ id, role }),
});
