import type { DeliveryRow } from '../../lambdas/domain/delivering/delivery.ts';
import type { EndpointRow } from '../../lambdas/domain/delivering/endpoint.ts';
import { newDeliveries } from '../../lambdas/domain/delivering/fan-out.ts';
import type { EventRow } from '../../lambdas/domain/events/event.ts';
import { endpointId } from '../../lambdas/domain/ids.ts';
import { type RequestRow, requestList, requestListAt } from '../../lambdas/domain/requests/request.ts';
import { endpointKey, listAt, requestKey } from '../../lambdas/domain/rows.ts';

export const REQUEST_ID = '6f2c8f0e-0f4b-4a4e-9d36-1b2c3d4e5f60';
export const START = Date.parse('2026-11-23T20:00:00.000Z');

/** A request as registration leaves it. */
export function requestRow(changes: Partial<RequestRow> = {}): RequestRow {
  const requestId = changes.requestId ?? REQUEST_ID;
  return {
    ...requestKey(requestId),
    requestId,
    state: 'active',
    status: 'registered',
    statusSince: START,
    registeredAt: START,
    startedAt: START,
    polls: 0,
    observations: [],
    sequence: 0,
    position: 0,
    copy: true,
    listKey: requestList('active'),
    listAt: requestListAt({ registeredAt: START, requestId }),
    ...changes,
  };
}

/** An account-wide endpoint; `n` makes its id, in order. */
export function endpointRow(n: number, changes: Partial<EndpointRow> = {}): EndpointRow {
  const kind = changes.kind === 'callback' ? 'callback' : 'account';
  const id = endpointId(kind, new Uint8Array(16).fill(n));
  return {
    ...endpointKey(id),
    id,
    kind: 'http',
    url: 'https://receiver.example/hook',
    events: ['video.*'],
    description: '',
    enabled: true,
    ordered: false,
    headers: {},
    createdAt: START,
    health: { state: 'healthy', lastDeliveredAt: START },
    stateVersion: 0,
    listKey: 'endpoints#http',
    listAt: listAt(START, id),
    ...changes,
  };
}

/** The delivery of an event to an account-wide endpoint, as the fan-out leaves it. */
export function deliveryRow(event: EventRow, endpoint: EndpointRow): DeliveryRow {
  const [row] = newDeliveries([{ event, target: { endpoint } }], {}, undefined, START).rows;
  return row as DeliveryRow;
}
