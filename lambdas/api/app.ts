import type { SecretReader } from '../adapters/secrets.ts';
import { deliveryRoutes } from './deliveries/delivery-routes.ts';
import { replayRoutes } from './deliveries/replay-routes.ts';
import type { Deployment } from './doctor/deployment-checks.ts';
import { doctorRoute } from './doctor/doctor-route.ts';
import { callbackSecretRoutes } from './endpoints/callback-secret-routes.ts';
import { endpointRoutes } from './endpoints/endpoint-routes.ts';
import { messageRoutes } from './endpoints/message-routes.ts';
import { eventRoutes } from './events/event-routes.ts';
import { createAuthenticate } from './http/auth.ts';
import { type ContextOptions, createContext } from './http/context.ts';
import { createIdempotency } from './http/idempotency.ts';
import { createRouter } from './http/router.ts';
import { openApiRoute } from './openapi/openapi-route.ts';
import { parkedRoutes } from './parked/parked-routes.ts';
import { batchRoute } from './requests/batch-route.ts';
import { linkRoutes } from './requests/link-routes.ts';
import { requestRoutes } from './requests/request-routes.ts';
import type { SignGet } from './requests/signed-url.ts';
import { createCounts } from './stats/counts.ts';
import { healthRoute } from './stats/health-route.ts';
import { historyRoute } from './stats/history-route.ts';
import type { MetricHistory } from './stats/metric-history.ts';
import { statsRoutes } from './stats/stats-route.ts';
import { whoamiRoute } from './stats/whoami-route.ts';

/** What the api stage is given. */
type ApiOptions = ContextOptions & {
  /** The text of the secret with the API keys. */
  readonly apiKeys: SecretReader;
  readonly signGet: SignGet;
  readonly metricHistory: MetricHistory;
  readonly deployment: Deployment;
};

/** The HTTP API: every call of the contract, behind one handler. */
export function createApi(options: ApiOptions) {
  const context = createContext(options);
  const counts = createCounts(options.table);
  const routes = [
    healthRoute,
    whoamiRoute,
    ...requestRoutes(context, options.signGet),
    batchRoute(context),
    ...endpointRoutes(context),
    ...deliveryRoutes(context),
    ...messageRoutes(context),
    ...replayRoutes(context),
    ...eventRoutes(context),
    ...callbackSecretRoutes(context),
    ...statsRoutes(context, counts),
    doctorRoute(context, counts, options.deployment),
    historyRoute(context, options.metricHistory),
    ...parkedRoutes(context),
    ...linkRoutes(context, options.signGet),
  ];
  return createRouter(
    [...routes, openApiRoute(routes)],
    createAuthenticate(options.apiKeys),
    createIdempotency(options.table, options.now),
  );
}
