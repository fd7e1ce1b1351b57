import { type Callback, DEFAULT_CALLBACK_EVENTS } from '../requests/request.ts';
import { endpointKey, listAt } from '../rows.ts';
import { type EndpointRow, endpointList } from './endpoint.ts';

/** The endpoint behind a callback URL, as it is when first named; requests with the same URL share it. */
export function callbackEndpoint({ endpointId: id, url }: Callback, now: number): EndpointRow {
  return {
    ...endpointKey(id),
    id,
    kind: 'callback',
    url,
    events: [...DEFAULT_CALLBACK_EVENTS],
    description: '',
    enabled: true,
    ordered: false,
    headers: {},
    createdAt: now,
    health: { state: 'healthy' },
    stateVersion: 0,
    listKey: endpointList('callback'),
    listAt: listAt(now, id),
  };
}
