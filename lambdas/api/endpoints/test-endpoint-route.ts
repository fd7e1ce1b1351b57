import { attemptView } from '../deliveries/delivery-view.ts';
import type { ApiContext } from '../http/context.ts';
import { ok, type Route, route } from '../http/route.ts';
import { endpointTestSchema } from './endpoint-schemas.ts';
import { createEndpointTest } from './endpoint-test.ts';
import { knownEndpoint } from './known-endpoint.ts';
import { createUrlTest } from './url-test.ts';

/** `POST /v1/endpoints/{id}/test` */
export function testEndpointRoute(context: ApiContext): Route {
  const { endpoints, hints } = context;
  const test = createEndpointTest(context);
  const urlTest = createUrlTest(context);

  return route({
    name: 'testEndpoint',
    method: 'POST',
    path: '/v1/endpoints/{id}/test',
    access: 'admin',
    summary:
      'Sends an endpoint.test event, or a sample of the given type with `test: true` in its data, to this endpoint alone. With `url` it goes there once, signed by the secret of this endpoint but without its headers, and the answer is the attempt; 202 without it if that takes too long.',
    body: endpointTestSchema(context),
    bodyOptional: true,
    answers: { 200: 'UrlTest', 202: 'EventId' },
    handle: async ({ caller, params, body: { type = 'endpoint.test', url }, once }) => {
      const endpointId = (await knownEndpoint(endpoints, params.id)).id;
      const { ids, due } = await once((commit) =>
        url === undefined ? test(endpointId, type, commit) : urlTest.start({ endpointId, type, url }, commit),
      );
      await hints.send(due);
      const { eventId } = ids;
      const attempt = url === undefined ? undefined : await urlTest.ended(endpointId, eventId);
      if (!attempt) return { status: 202, body: { eventId } };
      return ok({ eventId, attempt: attemptView(attempt, caller) });
    },
  });
}
