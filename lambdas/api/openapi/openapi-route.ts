import { ok, type Route, route } from '../http/route.ts';

/** Answers the document; its code is loaded at the first call. */
export function openApiRoute(routes: readonly Route[]): Route {
  let document: unknown;
  const self: Route = route({
    name: 'getOpenApi',
    method: 'GET',
    path: '/v1/openapi.json',
    access: 'public',
    summary: 'This document.',
    answers: { 200: 'OpenApi' },
    handle: async () => {
      const { describe } = await import('./openapi.ts');
      document ??= describe([...routes, self]);
      return ok(document);
    },
  });
  return self;
}
