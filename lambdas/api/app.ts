import { createIdempotency } from '../adapters/idempotency.ts';
import { createAuthenticate } from './auth.ts';
import { batchRoute } from './batch.ts';
import { callbackSecretRoutes } from './callback-secret.ts';
import { type ApiOptions, createContext } from './context.ts';
import { deliveryRoutes } from './deliveries.ts';
import { endpointRoutes } from './endpoints.ts';
import { eventRoutes } from './events.ts';
import { healthRoute } from './health.ts';
import { linkRoutes } from './links.ts';
import { messageRoutes } from './messages.ts';
import { openApiRoute } from './openapi.ts';
import { replayRoutes } from './replays.ts';
import { requestRoutes } from './requests.ts';
import { createRouter } from './router.ts';
import { statsRoutes } from './stats.ts';

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
