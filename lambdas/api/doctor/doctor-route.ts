import type { ApiContext } from '../http/context.ts';
import { ok, type Route, route } from '../http/route.ts';
import type { Counts } from '../stats/counts.ts';
import { bridgeChecks } from './bridge-checks.ts';
import type { Check, Finding } from './check.ts';
import { type Deployment, deploymentChecks } from './deployment-checks.ts';
import { createUpstreamCheck } from './upstream-check.ts';

declare const VERSION: string;

/** Of the package; the build knows it. */
const version = typeof VERSION === 'string' ? VERSION : 'from sources';

/** Looks at everything that a person may have to repair. */
export function doctorRoute(context: ApiContext, counts: Counts, deployment: Deployment): Route {
  const { secrets, table, ...work } = bridgeChecks({ ...context, counts });
  // In the order of repair: the later ones need the earlier ones.
  const checks = {
    upstream: createUpstreamCheck(context),
    secrets,
    table,
    ...deploymentChecks(deployment),
    ...work,
  };
  return route({
    name: 'getDoctor',
    method: 'GET',
    path: '/v1/doctor',
    access: 'read',
    summary:
      'Checks the deployment; each problem comes with its remedy. Asks Topaz whether it accepts the key, which may take 12 s.',
    answers: { 200: 'Doctor' },
    handle: async () => {
      const found = Object.entries(checks).map(([name, check]) => attempt(name, check));
      return ok({ checks: await Promise.all(found), version });
    },
  });
}

/** A check that cannot be made has failed; the error's class says why, its text may hold names. */
async function attempt(name: string, check: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    const detail = `This could not be checked (${error instanceof Error ? error.name : 'unknown error'}).`;
    return { name, state: 'failed', detail, remedy: 'See the log of the function api.' };
  }
}
