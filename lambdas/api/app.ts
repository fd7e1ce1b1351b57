import { lazy } from '../adapters/lambda/lazy.ts';
import type { SecretReader } from '../adapters/secrets.ts';
import type { AllRoutesOptions } from './all-routes.ts';
import { createAuthenticate } from './http/auth.ts';
import { type ContextOptions, createContext } from './http/context.ts';
import { createIdempotency } from './http/idempotency.ts';
import type { Route } from './http/route.ts';
import { createRouter } from './http/router.ts';
import { batchRoute } from './requests/batch-route.ts';
import { linkRoutes } from './requests/link-routes.ts';
import { requestRoutes } from './requests/request-routes.ts';
import type { SignGet } from './requests/signed-url.ts';
import { healthRoute } from './stats/health-route.ts';

/** What the api stage is given. */
type ApiOptions = ContextOptions &
  AllRoutesOptions & {
    /** The text of the secret with the API keys. */
    readonly apiKeys: SecretReader;
    readonly signGet: SignGet;
  };

/**
 * The HTTP API: every call of the contract, behind one handler. Requests and links are there at once. The code of all
 * other calls is loaded by the first of them, since every cold start pays for what is loaded with the bundle.
 */
export function createApi(options: ApiOptions) {
  const context = createContext(options);
  const authenticate = createAuthenticate(options.apiKeys);
  const idempotency = createIdempotency(options.table, options.now);
  const frequent: readonly Route[] = [
    healthRoute,
    ...requestRoutes(context, options.signGet),
    batchRoute(context),
    ...linkRoutes(context, options.signGet),
  ];
  // It has all routes: the document and the refusals of unknown calls name them.
  const serveAny = lazy(async () => {
    const { allRoutes } = await import('./all-routes.ts');
    return createRouter(allRoutes(context, options, frequent), authenticate, idempotency);
  });
  return createRouter(frequent, authenticate, idempotency, serveAny);
}
