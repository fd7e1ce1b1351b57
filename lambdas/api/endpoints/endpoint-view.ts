import { HIDDEN_VALUE } from '../../domain/delivering/custom-headers.ts';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import { ownFieldsOf } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { nextProbeAt } from '../../domain/delivering/gate/gate.ts';
import { iso } from '../../domain/iso.ts';
import type { Caller } from '../http/auth.ts';
import { visibleUrl } from '../http/visible-url.ts';

/** What `GET /v1/endpoints/{id}` answers; another call shows the secret. */
export function endpointView(endpoint: EndpointRow, caller: Caller) {
  const { id, kind, url, events, description, enabled, disabledReason, rateLimit, ordered, health } =
    endpoint;
  return {
    id,
    kind,
    url: url && visibleUrl(url, caller),
    ...ownFieldsOf(endpoint),
    events,
    description,
    enabled,
    disabledReason,
    rateLimit,
    ordered,
    headers: Object.fromEntries(Object.keys(endpoint.headers).map((name) => [name, HIDDEN_VALUE])),
    createdAt: iso(endpoint.createdAt),
    health: {
      state: health.state,
      failingSince: iso(health.failingSince),
      lastDeliveredAt: iso(health.lastDeliveredAt),
      nextProbeAt: iso(nextProbeAt(endpoint)),
    },
  };
}
