import { endpointKey, listAt } from '../rows.ts';
import { DISABLED_THROUGH_API, type EndpointRow, endpointList } from './endpoint.ts';
import { DEFAULT_KIND, type OwnFields, ownFieldsOf } from './endpoint-kinds/endpoint-kinds.ts';

/** What a person says of a new account-wide endpoint. */
type Given = OwnFields &
  Partial<
    Pick<
      EndpointRow,
      'kind' | 'url' | 'events' | 'description' | 'enabled' | 'rateLimit' | 'ordered' | 'headers'
    >
  >;

const DEFAULT_EVENTS = ['video.*', 'endpoint.*'];

/** An account-wide endpoint as it is when it is created, `createdAt` in ms since epoch. */
export function newEndpoint(id: string, given: Given, secret: string, createdAt: number): EndpointRow {
  const { kind = DEFAULT_KIND, enabled = true } = given;
  return {
    ...endpointKey(id),
    id,
    kind,
    url: given.url,
    ...ownFieldsOf(given),
    events: [...new Set(given.events ?? DEFAULT_EVENTS)],
    description: given.description ?? '',
    enabled,
    ...(enabled ? {} : { disabledReason: DISABLED_THROUGH_API }),
    rateLimit: given.rateLimit,
    ordered: given.ordered ?? false,
    headers: given.headers ?? {},
    secrets: [{ secret }],
    createdAt,
    health: { state: enabled ? 'healthy' : 'disabled' },
    stateVersion: 0,
    listKey: endpointList(kind),
    listAt: listAt(createdAt, id),
  };
}
