import type { EndpointRow } from '../domain/endpoint.ts';
import { invalid } from './problem.ts';

/** What a PATCH gives; `null` takes the limit away. */
export type EndpointChange = {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly description?: string;
  readonly enabled?: boolean;
  readonly rateLimit?: number | null;
  readonly ordered?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A callback is named by its URL, and its filters are its requests'. */
const NOT_OF_CALLBACKS = ['url', 'events'] as const;

/** What a PATCH sets and removes. Enabling forgives what was; both ways it is another state than before. */
export function changed(
  endpoint: EndpointRow,
  given: EndpointChange,
): { set: Partial<EndpointRow>; remove: (keyof EndpointRow)[] } {
  if (endpoint.kind === 'callback') {
    const wrong = NOT_OF_CALLBACKS.filter((field) => given[field] !== undefined);
    const message = 'A callback has this from its requests: register the request with another callbackUrl.';
    if (wrong.length > 0) throw invalid(wrong.map((path) => ({ path, message })));
  }
  const { url, events, description, enabled, rateLimit, ordered, headers } = given;
  const set: Partial<EndpointRow> = {
    ...(url === undefined ? {} : { url }),
    ...(events === undefined ? {} : { events: [...new Set(events)] }),
    ...(description === undefined ? {} : { description }),
    ...(typeof rateLimit === 'number' ? { rateLimit } : {}),
    ...(ordered === undefined ? {} : { ordered }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  };
  const remove: (keyof EndpointRow)[] = rateLimit === null ? ['rateLimit'] : [];
  if (enabled === undefined || enabled === endpoint.enabled) return { set, remove };
  const stateVersion = endpoint.stateVersion + 1;
  const { lastDeliveredAt } = endpoint.health;
  const since = lastDeliveredAt === undefined ? {} : { lastDeliveredAt };
  if (enabled) {
    return {
      set: { ...set, enabled, stateVersion, health: { state: 'healthy', ...since } },
      remove: [...remove, 'disabledReason'],
    };
  }
  const health = { ...endpoint.health, state: 'disabled' as const };
  return { set: { ...set, enabled, stateVersion, health, disabledReason: 'disabled by hand' }, remove };
}
