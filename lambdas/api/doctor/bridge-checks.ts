import { endpointCountsKey } from '../../domain/rows.ts';
import { LANES } from '../../domain/work.ts';
import type { ApiContext } from '../http/context.ts';
import type { Counts } from '../stats/counts.ts';
import { counted, type Finding } from './check.ts';

type Bridge = Pick<ApiContext, 'table' | 'endpoints' | 'linkSecret' | 'callbackSecrets' | 'now'> & {
  readonly counts: Counts;
};

/** Work that is overdue for longer than this waits for something that a person may have to repair. */
const BEHIND_MINUTES = 5;

/** Checks of what the bridge itself keeps. */
export function bridgeChecks({ table, endpoints, linkSecret, callbackSecrets, now, counts }: Bridge) {
  async function tableCheck(): Promise<Finding> {
    await table.get(endpointCountsKey);
    return { state: 'ok', detail: 'The table answers.' };
  }

  async function secretsCheck(): Promise<Finding> {
    await Promise.all([linkSecret(), callbackSecrets.read()]);
    return { state: 'ok', detail: 'The secrets that sign links and callbacks are there.' };
  }

  async function workCheck(): Promise<Finding> {
    const at = now();
    const late = await Promise.all(
      LANES.map(async (lane) => ({ lane, oldest: (await counts.overdue(lane, at)).oldest ?? at })),
    );
    const behind = late.filter(({ oldest }) => at - oldest > BEHIND_MINUTES * 60_000);
    if (behind.length === 0)
      return { state: 'ok', detail: `No work is late by more than ${BEHIND_MINUTES} minutes.` };
    const named = behind.map(({ lane, oldest }) => `${lane} by ${Math.round((at - oldest) / 60_000)} min`);
    return {
      state: 'warning',
      detail: `Work is late: ${named.join(', ')}.`,
      remedy: 'See the errors and throttles of the functions of these lanes, and docs/runbook.md.',
    };
  }

  async function parkedCheck(): Promise<Finding> {
    const parked = await counts.parked(now());
    if (parked.length === 0) return { state: 'ok', detail: 'No work is parked.' };
    return {
      state: 'failed',
      detail: `${counted(parked.length, 'piece')} of work ${parked.length === 1 ? 'is' : 'are'} parked.`,
      remedy: 'GET /v1/parked shows the reasons. Remove them, then POST /v1/parked/{id}/release.',
    };
  }

  async function endpointsCheck(): Promise<Finding> {
    const all = await endpoints.listAccountWide();
    const failing = all.filter(
      // An endpoint that a person disabled is no problem.
      ({ gaveUp, health }) => health.state === 'failing' || gaveUp,
    );
    if (failing.length === 0)
      return { state: 'ok', detail: `${counted(all.length, 'account-wide endpoint')}, none failing.` };
    return {
      state: 'warning',
      detail: `These endpoints fail or were given up: ${failing.map(({ id }) => id).join(', ')}.`,
      remedy:
        'GET /v1/endpoints/{id}/deliveries?state=failed shows why. Repair the receiver; if the endpoint is disabled, PATCH it with {"enabled": true}.',
    };
  }

  return {
    table: tableCheck,
    secrets: secretsCheck,
    work: workCheck,
    parked: parkedCheck,
    endpoints: endpointsCheck,
  };
}
