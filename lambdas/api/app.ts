import { type ApiOptions, createContext } from './context.ts';
import { deliveryRoutes } from './deliveries/delivery-routes.ts';
import { replayRoutes } from './deliveries/replay-routes.ts';
import { callbackSecretRoutes } from './endpoints/callback-secret-routes.ts';
import { endpointRoutes } from './endpoints/endpoint-routes.ts';
import { messageRoutes } from './endpoints/message-routes.ts';
import { createAuthenticate } from './http/auth.ts';
import { createIdempotency } from './http/idempotency.ts';
import { createRouter } from './http/router.ts';
import { openApiRoute } from './openapi/openapi.ts';
import { batchRoute } from './requests/batch.ts';
import { eventRoutes } from './requests/events.ts';
import { linkRoutes } from './requests/links.ts';
import { requestRoutes } from './requests/request-routes.ts';
import { healthRoute } from './stats/healthz.ts';
import { statsRoutes } from './stats/stats.ts';

/** The HTTP API: every call of the contract, behind one handler. */
export function createApi(options: ApiOptions) {
  const context = createContext(options);
  const routes = [
    healthRoute,
    ...requestRoutes(context),
    batchRoute(context),
    ...endpointRoutes(context),
    ...deliveryRoutes(context),
    ...messageRoutes(context),
    ...replayRoutes(context),
    ...eventRoutes(context),
    ...callbackSecretRoutes(context),
    ...statsRoutes(context),
    ...linkRoutes(context),
  ];
  return createRouter(
    [...routes, openApiRoute(routes)],
    createAuthenticate(options.apiKeys),
    createIdempotency(options.table, options.now),
  );
}
