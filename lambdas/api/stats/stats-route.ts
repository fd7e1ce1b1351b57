import type { Table } from '../../adapters/dynamodb/table.ts';
import { REQUEST_STATES } from '../../domain/requests/request.ts';
import { sourceOf } from '../../domain/rows.ts';
import { type Hint, LANES, type Work } from '../../domain/work.ts';
import { readRequestCounts } from '../../rows/request-counts.ts';
import type { ApiContext } from '../http/context.ts';
import { ok, type Route, route } from '../http/route.ts';
import { parkedRow } from '../requests/request-view.ts';
import { createRequests, type Requests, type TrackedRequest } from '../requests/tracked-requests.ts';
import type { Counts } from './counts.ts';
import { readPause, upstreamState } from './upstream-state.ts';

/** Parked rows that are looked at for their lane; there are few unless much has gone wrong. */
const PARKED_READ = 1_000;

export function statsRoutes({ table, now }: ApiContext, counts: Counts): Route[] {
  const sources = { table, now, counts, requests: createRequests(table, now) };
  return [
    route({
      name: 'getStats',
      method: 'GET',
      path: '/v1/stats',
      access: 'read',
      summary: 'Counts requests by state and status, and the work in each lane.',
      answers: { 200: 'Stats' },
      handle: async () => ok(await stats(sources)),
    }),
  ];
}

type Sources = Pick<ApiContext, 'table' | 'now'> & { readonly counts: Counts; readonly requests: Requests };

/**
 * Requests are counted where they change, so that their counts are right at any size. Lanes are counted by
 * reading the index, since a count of what waits would cost a write for each change of any row: up to 10,000
 * rows of a lane and 1,000 parked ones, and `capped` says where there are more.
 */
async function stats(sources: Sources) {
  const { counts, requests, table, now } = sources;
  const at = now();
  // A row that moves in the index while it is read may be met twice.
  const met = new Map((await counts.parked(at)).map((row) => [`${row.pk} ${row.sk}`, row]));
  const parked = [...met.values()].slice(0, PARKED_READ);
  const [pause, requestCounts, parkedLanes, parkedRequests, lanes] = await Promise.all([
    readPause(table),
    readRequestCounts(table, at),
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

  const parkedIn = (state: string) => parkedRequests.filter(({ request }) => request.state === state).length;
  const byState: Record<string, number> = { parked: parkedRequests.length };
  for (const state of REQUEST_STATES) {
    byState[state] = sum(requestCounts.filter((each) => each.state === state)) - parkedIn(state);
  }
  const byStatus = [...Map.groupBy(requestCounts, ({ status }) => status)].map(
    ([status, each]) => [status, sum(each)] as const,
  );

  return {
    upstream: upstreamState(pause),
    requests: {
      byState,
      byStatus: Object.fromEntries(byStatus.filter(([, count]) => count > 0)),
      capped: parked.length === PARKED_READ,
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

/** The lanes that the parked rows come from. */
async function lanesOf(table: Table, parked: readonly Hint[]): Promise<(string | undefined)[]> {
  return (await table.getMany<Hint & Work>(parked, { consistent: false })).map((row) => row?.parked?.lane);
}

/** The requests that are parked, each once. */
async function parkedOf(requests: Requests, parked: readonly Hint[]): Promise<TrackedRequest[]> {
  const sources = parked.map(({ pk }) => sourceOf(pk));
  const ids = sources.flatMap((source) => (source.kind === 'request' ? [source.requestId] : []));
  const found = await requests.getMany([...new Set(ids)]);
  return found.filter((each) => each !== undefined).filter((each) => parkedRow(each) !== undefined);
}

const sum = (counts: readonly { count: number }[]): number =>
  counts.reduce((all, { count }) => all + count, 0);
