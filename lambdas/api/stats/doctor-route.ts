import type { Table } from '../../adapters/dynamodb/table.ts';
import type { SecretReader } from '../../adapters/secrets.ts';
import { pauseReason } from '../../domain/polling/upstream-pause.ts';
import { endpointCountsKey } from '../../domain/rows.ts';
import { LANES } from '../../domain/work.ts';
import type { Endpoints } from '../../rows/endpoints.ts';
import type { ApiContext } from '../http/context.ts';
import { ok, type Route, route } from '../http/route.ts';
import { iso } from '../http/time.ts';
import type { Counts } from './counts.ts';
import { doctorAnswer } from './stats-answers.ts';
import { readPause } from './upstream-state.ts';

declare const VERSION: string;

/** Of the package; the build knows it. */
const version = typeof VERSION === 'string' ? VERSION : 'from sources';

/** What one check found: a sentence, and what to do unless all is well. */
type Check = {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  readonly remedy?: string;
};

type DoctorDependencies = {
  readonly table: Pick<Table, 'get'>;
  readonly counts: Counts;
  readonly endpoints: Pick<Endpoints, 'listAccountWide'>;
  readonly linkSecret: SecretReader;
  readonly now: () => number;
};

/** Work that is overdue for longer than this waits for something that a person may have to repair, ms. */
const BEHIND_MS = 300_000;

/** Looks at everything that a person may have to repair. */
export function doctorRoute(context: ApiContext, counts: Counts): Route {
  return route({
    name: 'getDoctor',
    method: 'GET',
    path: '/v1/doctor',
    access: 'read',
    summary: 'Checks the deployment; each problem comes with its remedy.',
    answers: { 200: doctorAnswer },
    handle: async () => ok({ checks: await checks({ ...context, counts }), version }),
  });
}

async function checks(use: DoctorDependencies): Promise<Check[]> {
  return Promise.all([
    attempt('table', () => tableCheck(use)),
    attempt('secrets', () => secretsCheck(use)),
    attempt('upstream', () => upstreamCheck(use)),
    attempt('work', () => workCheck(use)),
    attempt('parked', () => parkedCheck(use)),
    attempt('endpoints', () => endpointsCheck(use)),
  ]);
}

/** A check that cannot be made has failed; the error's class says why, its text may hold names. */
async function attempt(name: string, check: () => Promise<Omit<Check, 'name'>>): Promise<Check> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    const detail = `This could not be checked (${error instanceof Error ? error.name : 'unknown error'}).`;
    return { name, state: 'failed', detail, remedy: 'See the log of the function api.' };
  }
}

async function tableCheck({ table }: DoctorDependencies): Promise<Omit<Check, 'name'>> {
  await table.get(endpointCountsKey);
  return { state: 'ok', detail: 'The table answers.' };
}

async function secretsCheck({ linkSecret }: DoctorDependencies): Promise<Omit<Check, 'name'>> {
  await linkSecret();
  return { state: 'ok', detail: 'The secrets of the API can be read.' };
}

async function upstreamCheck({ table }: DoctorDependencies): Promise<Omit<Check, 'name'>> {
  const pause = await readPause(table);
  if (!pause) return { state: 'ok', detail: 'Topaz is being polled.' };
  return {
    state: pause.reason === 'throttled' ? 'warning' : 'failed',
    detail: `Polling is paused until ${iso(pause.until)}: ${pauseReason(pause)}.`,
    remedy: 'Correct the key, or wait. POST /v1/requests/{requestId}/poll ends the pause by a probe.',
  };
}

async function workCheck({ counts, now }: DoctorDependencies): Promise<Omit<Check, 'name'>> {
  const at = now();
  const late = await Promise.all(
    LANES.map(async (lane) => ({ lane, oldest: (await counts.overdue(lane, at)).oldest ?? at })),
  );
  const behind = late.filter(({ oldest }) => at - oldest > BEHIND_MS);
  if (behind.length === 0) return { state: 'ok', detail: 'No work is late by more than five minutes.' };
  const named = behind.map(({ lane, oldest }) => `${lane} by ${Math.round((at - oldest) / 60_000)} min`);
  return {
    state: 'warning',
    detail: `Work is late: ${named.join(', ')}.`,
    remedy: 'See the errors and throttles of the functions of these lanes, and docs/runbook.md.',
  };
}

async function parkedCheck({ counts, now }: DoctorDependencies): Promise<Omit<Check, 'name'>> {
  const parked = await counts.parked(now());
  if (parked.length === 0) return { state: 'ok', detail: 'No work is parked.' };
  return {
    state: 'failed',
    detail: `${parked.length} ${parked.length === 1 ? 'row is' : 'rows are'} parked.`,
    remedy: 'GET /v1/parked shows the reasons. Remove them, then POST /v1/parked/{id}/release.',
  };
}

async function endpointsCheck({ endpoints }: DoctorDependencies): Promise<Omit<Check, 'name'>> {
  const all = await endpoints.listAccountWide();
  const failing = all.filter(
    // An endpoint that a person disabled is no problem.
    ({ gaveUp, health }) => health.state === 'failing' || gaveUp,
  );
  if (failing.length === 0)
    return { state: 'ok', detail: `${all.length} account-wide endpoints, none failing.` };
  return {
    state: 'warning',
    detail: `These endpoints fail or were given up: ${failing.map(({ id }) => id).join(', ')}.`,
    remedy:
      'GET /v1/endpoints/{id}/deliveries?state=failed shows why. Repair the receiver; if the endpoint is disabled, PATCH it with {"enabled": true}.',
  };
}
