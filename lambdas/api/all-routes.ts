import { deliveryRoutes } from './deliveries/delivery-routes.ts';
import { replayRoutes } from './deliveries/replay-routes.ts';
import type { Deployment } from './doctor/deployment-checks.ts';
import { doctorRoute } from './doctor/doctor-route.ts';
import { callbackSecretRoutes } from './endpoints/callback-secret-routes.ts';
import { endpointRoutes } from './endpoints/endpoint-routes.ts';
import { messageRoutes } from './endpoints/message-routes.ts';
import { eventRoutes } from './events/event-routes.ts';
import type { ApiContext } from './http/context.ts';
import type { Route } from './http/route.ts';
import { openApiRoute } from './openapi/openapi-route.ts';
import { parkedRoutes } from './parked/parked-routes.ts';
import { createCounts } from './stats/counts.ts';
import { historyRoute } from './stats/history-route.ts';
import type { MetricHistory } from './stats/metric-history.ts';
import { statsRoutes } from './stats/stats-route.ts';
import { whoamiRoute } from './stats/whoami-route.ts';

export type AllRoutesOptions = {
  readonly metricHistory: MetricHistory;
  readonly deployment: Deployment;
};

/** All routes: the frequent ones, and those that few calls of a worker need. */
export function allRoutes(
  context: ApiContext,
  { metricHistory, deployment }: AllRoutesOptions,
  frequent: readonly Route[],
): Route[] {
  const counts = createCounts(context.table);
  const routes = [
    ...frequent,
    whoamiRoute,
    ...endpointRoutes(context),
    ...deliveryRoutes(context),
    ...messageRoutes(context),
    ...replayRoutes(context),
    ...eventRoutes(context),
    ...callbackSecretRoutes(context),
    ...statsRoutes(context, counts),
    doctorRoute(context, counts, deployment),
    historyRoute(context, metricHistory),
    ...parkedRoutes(context),
  ];
  return [...routes, openApiRoute(routes)];
}
