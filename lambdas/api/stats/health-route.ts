import { ok, type Route, route } from '../http/route.ts';

/** Shows that the function answers; makes no call. */
export const healthRoute: Route = route({
  name: 'getHealth',
  method: 'GET',
  path: '/healthz',
  access: 'public',
  summary: 'Says that the API answers.',
  answers: { 200: 'Health' },
  handle: async () => ok({ status: 'ok' }),
});
