import type { Table } from '../../adapters/dynamodb/table.ts';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import type { EventRow } from '../../domain/events/event.ts';
import { callbackOf, type Registration } from '../../domain/requests/registration.ts';
import type { MetaRow } from '../../domain/requests/request.ts';
import { endpointKey } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';
import { eventsOf } from '../../rows/events.ts';
import { keysOfRequest, type RequestRows, rowsOfRequests } from './tracked-requests.ts';

/** What is there when a request is registered. */
export type Found = RequestRows & {
  /** The endpoints of these callbacks, by id; there may be others among them. */
  readonly endpoints: ReadonlyMap<string, EndpointRow>;
  /** The last event of an earlier tracking whose row has expired. */
  readonly lastEvent?: EventRow | undefined;
};

/** What is there of each request, and of the endpoint that its registration names; all read consistently. */
export async function findRequests(
  table: Pick<Table, 'getMany'>,
  registrations: readonly Registration[],
): Promise<Found[]> {
  const named = registrations.flatMap((registration) => callbackOf(registration)?.endpointId ?? []);
  const keys = [
    ...named.map(endpointKey),
    ...registrations.flatMap(({ requestId }) => keysOfRequest(requestId)),
  ];
  const rows = await table.getMany<RowKey>(keys);
  const endpoints = byId(rows.slice(0, named.length) as (EndpointRow | undefined)[]);
  return rowsOfRequests(rows.slice(named.length)).map((found) => ({ ...found, endpoints }));
}

const byId = (endpoints: readonly (EndpointRow | undefined)[]): Map<string, EndpointRow> =>
  new Map(endpoints.flatMap((endpoint) => (endpoint ? [[endpoint.id, endpoint]] : [])));

/** The last event that was observed of a request, expired or not. */
export async function newestEvent(
  table: Pick<Table, 'query'>,
  requestId: string,
): Promise<EventRow | undefined> {
  const { rows } = await table.query<EventRow>({
    ...eventsOf(requestId),
    newestFirst: true,
    limit: 1,
  });
  return rows[0];
}

/** The endpoints of the callbacks that a request has, by id. */
export async function endpointsOf(
  table: Pick<Table, 'getMany'>,
  meta: MetaRow | undefined,
): Promise<Map<string, EndpointRow>> {
  const keys = (meta?.callbacks ?? []).map(({ endpointId }) => endpointKey(endpointId));
  return byId(await table.getMany<EndpointRow>(keys));
}
