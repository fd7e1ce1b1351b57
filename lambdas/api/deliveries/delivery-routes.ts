import * as z from 'zod/mini';
import { equals, present, type Write } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import type { DeliveryRow } from '../../domain/delivering/delivery.ts';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import { isFetched } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { GATE_LANE } from '../../domain/delivering/gate/gate.ts';
import { isEndpointId } from '../../domain/ids.ts';
import { eventExpiry, isExpired } from '../../domain/retention.ts';
import { backlogEntryKey, backlogPartition } from '../../domain/rows.ts';
import type { Due } from '../../domain/work.ts';
import { wake, withdraw } from '../../engine/wake.ts';
import { entryWrite } from '../../rows/backlog.ts';
import type { ApiContext } from '../http/context.ts';
import { idsAround } from '../http/event-filter.ts';
import { paging } from '../http/lists.ts';
import { collectPage } from '../http/paging.ts';
import { conflict, notFound } from '../http/problem.ts';
import { ok, type Route, route } from '../http/route.ts';
import { deliveryFilter, isWanted, leavesOut } from './delivery-filter.ts';
import { createDeliveries } from './delivery-rows.ts';
import { deliveryView } from './delivery-view.ts';

export function deliveryRoutes(context: ApiContext): Route[] {
  const { table, endpoints, hints, lists, now, retentionDays } = context;
  const deliveries = createDeliveries(table, now);

  async function known(id: string | undefined): Promise<DeliveryRow> {
    const found = await deliveries.get(id ?? '');
    if (!found) throw notFound('delivery');
    return found;
  }

  return [
    route({
      name: 'listDeliveries',
      method: 'GET',
      path: '/v1/endpoints/{id}/deliveries',
      access: 'read',
      summary: "Lists an endpoint's deliveries, the newest events first.",
      query: z.strictObject({ ...paging, ...deliveryFilter }),
      answers: { 200: 'DeliveryList' },
      handle: async (call) => {
        const id = call.params.id ?? '';
        const { query } = call;
        const range = idsAround(query);
        // The deliveries of a deleted endpoint can still be looked at.
        if (!isEndpointId(id)) throw notFound('endpoint');
        return lists(call, (from) =>
          collectPage({
            ...from,
            filtered: leavesOut(query),
            scan: (position = range.before, limit) =>
              deliveries.list(id, { after: range.after, before: position }, limit),
            show: (entries) =>
              entries.map(({ row }) =>
                isExpired(row, now()) || !isWanted(row, query) ? undefined : deliveryView(row, call.caller),
              ),
          }),
        );
      },
    }),
    route({
      name: 'getDelivery',
      method: 'GET',
      path: '/v1/deliveries/{id}',
      access: 'read',
      summary: 'Shows a delivery with its attempts.',
      answers: { 200: 'Delivery' },
      handle: async ({ caller, params }) => ok(deliveryView(await known(params.id), caller)),
    }),
    route({
      name: 'retryDelivery',
      method: 'POST',
      path: '/v1/deliveries/{id}/retry',
      access: 'admin',
      summary: 'Sends a delivery again, with the same event id; makes a pending delivery due now.',
      answers: { 202: 'Delivery' },
      handle: async ({ caller, params, once }) => {
        const { due } = await once((commit) =>
          optimistic(async () => {
            const row = await known(params.id);
            const endpoint = await endpoints.get(row.endpointId);
            if (!endpoint)
              throw conflict(
                'The endpoint is deleted, so nothing can be sent to it: read the event with GET /v1/events/{id}.',
              );
            const again = isFetched(endpoint)
              ? fetchable(row, endpoint, eventExpiry(now(), retentionDays))
              : retry(row, endpoint, now());
            return commit(again.writes, { status: 202, ids: { deliveryId: row.id }, due: again.due });
          }),
        );
        await hints.send(due);
        return { status: 202, body: deliveryView(await known(params.id), caller) };
      },
    }),
  ];
}

type Planned = { readonly writes: Write[]; readonly due?: Due };

/**
 * Begins a new schedule, unless one is under way: then its next attempt is now. An open breaker does not
 * hold back what a user retries.
 */
function retry(row: DeliveryRow, endpoint: EndpointRow, now: number): Planned {
  const restarts = row.state === 'pending' ? {} : { state: 'pending', failures: 0 };
  const { write, due } = wake(row, GATE_LANE, now, {
    set: { ...restarts, bypassesBreaker: true, endpointCreatedAt: endpoint.createdAt },
    remove: ['expiresAt', 'backlogKey'],
    if: [present('pk'), equals('state', row.state)],
  });
  const { backlogKey } = row;
  return { due, writes: [write, ...(backlogKey ? [{ delete: backlogEntryKey(backlogKey, row) }] : [])] };
}

/** Clients that fetch from the endpoint get it again. */
function fetchable(row: DeliveryRow, endpoint: EndpointRow, expiresAt: number): Planned {
  const backlogKey = backlogPartition(endpoint);
  const { createdAt: endpointCreatedAt } = endpoint;
  return {
    writes: [
      withdraw(row, {
        set: { state: 'pending', failures: 0, backlogKey, endpointCreatedAt, expiresAt },
        if: [equals('state', row.state)],
      }),
      entryWrite(backlogKey, { ...row, expiresAt }),
    ],
  };
}
