import type { Table } from '../../adapters/dynamodb/table.ts';
import type { RequestRow } from '../../domain/requests/request.ts';
import { requestList } from '../../domain/requests/request.ts';
import { isExpired } from '../../domain/retention.ts';
import { requestIdOf } from '../../domain/rows.ts';
import { type Hint, LANES, type Work } from '../../domain/work.ts';
import type { ApiContext } from '../http/context.ts';
import { ok, type Route, route } from '../http/route.ts';
import { parkedRow } from '../requests/request-view.ts';
import { createRequests, type Requests, type TrackedRequest } from '../requests/tracked-requests.ts';
import type { Counts } from './counts.ts';
import { upstreamState } from './upstream-state.ts';

const STATES = ['active', 'done', 'stopped'] as const satisfies RequestRow['state'][];
/** The newest requests of each state, which are looked at for their status. */
const STATUSES_OF = 500;
/** Parked rows that are looked at for their lane; there are few, or somebody is needed urgently. */
const PARKED_READ = 1_000;

export function statsRoutes({ table, now }: ApiContext, counts: Counts): Route[] {
  const sources = { table, now, counts, requests: createRequests(table, now) };
  return [
    route({
      name: 'getStats',
      method: 'GET',
      path: '/v1/stats',
      access: 'read',
      summary: 'What there is, and what waits.',
      answers: { 200: 'Stats' },
      handle: async () => ok(await stats(sources)),
    }),
  ];
}

type Sources = Pick<ApiContext, 'table' | 'now'> & { readonly counts: Counts; readonly requests: Requests };

/**
 * Counts by reading the indexes, since a counter kept up to date would cost a write for each change
 * of any row. All counts are bounded, and `capped` tells where a bound was reached: 10,000 rows of a
 * lane or state, the statuses of the newest 500 requests of each state, the first 1,000 parked rows.
 */
async function stats(sources: Sources) {
  const { counts, requests, table, now } = sources;
  const at = now();
  const parked = (await counts.parked(at)).slice(0, PARKED_READ);
  const [upstream, states, statuses, parkedLanes, parkedRequests, lanes] = await Promise.all([
    upstreamState(table),
    Promise.all(STATES.map((state) => counts.inList(requestList(state)))),
    Promise.all(STATES.map((state) => statusesOf(sources, state))),
    lanesOf(table, parked),
    parkedOf(requests, parked),
    Promise.all(
      LANES.map(async (lane) => ({
        lane,
        waiting: await counts.inLane(lane),
        overdue: await counts.overdue(lane, at),
      })),
    ),
  ]);

  const byState: Record<string, number> = { parked: parkedRequests.length };
  for (const [i, state] of STATES.entries()) {
    const apart = parkedRequests.filter(({ request }) => request.state === state).length;
    byState[state] = Math.max(0, (states[i]?.count ?? 0) - apart);
  }
  // Upstream names the statuses, so one may be called like a property of every object.
  const byStatus = new Map<string, number>();
  for (const status of statuses.flatMap((each) => each.statuses))
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);

  return {
    upstream,
    requests: {
      byState,
      byStatus: Object.fromEntries(byStatus),
      capped: states.some(({ capped }) => capped) || statuses.some(({ capped }) => capped),
    },
    lanes: Object.fromEntries(
      lanes.map(({ lane, waiting, overdue }) => [
        lane,
        {
          waiting: waiting.count,
          overdue: overdue.count,
          oldestOverdueSeconds: overdue.oldest === undefined ? 0 : Math.floor((at - overdue.oldest) / 1000),
          parked: parkedLanes.filter((each) => each === lane).length,
          ...(waiting.capped || overdue.capped ? { capped: true } : {}),
        },
      ]),
    ),
  };
}

async function statusesOf({ requests, table, now }: Sources, state: RequestRow['state']) {
  const { entries, more } = await requests.list([state], undefined, STATUSES_OF);
  const rows = await table.getMany<RequestRow>(
    entries.map(({ key }) => key),
    false,
  );
  const shown = rows.filter((row) => !row.purged && !isExpired(row, now()));
  return { statuses: shown.map(({ status }) => status), capped: more };
}

/** The lanes that the parked rows come from. */
async function lanesOf(table: Table, parked: readonly Hint[]): Promise<(string | undefined)[]> {
  return (await table.getMany<Hint & Work>(parked, false)).map((row) => row.parked?.lane);
}

/** The requests that are parked, each once. */
async function parkedOf(requests: Requests, parked: readonly Hint[]): Promise<TrackedRequest[]> {
  const ids = new Set(parked.filter(({ pk }) => pk.startsWith('REQ#')).map(requestIdOf));
  const found = await requests.getMany([...ids]);
  return found.filter((each) => each !== undefined).filter((each) => parkedRow(each) !== undefined);
}
