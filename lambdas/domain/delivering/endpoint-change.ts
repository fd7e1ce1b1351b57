import type { FieldError } from '../field-error.ts';
import { DISABLED_THROUGH_API, type EndpointRow } from './endpoint.ts';
import { isCallback, type OwnFields, ownFieldsOf, refusedFields } from './endpoint-kinds/endpoint-kinds.ts';
import { GATE_LANE, GATE_WORK } from './gate/gate.ts';
import { disabled, enabledAgain, isOpen } from './gate/health.ts';
import { originOf } from './gate/origin.ts';

/** What a PATCH gives; `null` takes the limit away. */
export type EndpointChange = OwnFields & {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly description?: string;
  readonly enabled?: boolean;
  readonly rateLimit?: number | null;
  readonly ordered?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The URL of a callback is its identity, and its filters belong to its requests. */
const NOT_OF_CALLBACKS = ['url', 'events'] as const;

/** What a PATCH changes of an endpoint's row. */
export type ChangedEndpoint = {
  readonly set: Partial<EndpointRow>;
  readonly remove: readonly (keyof EndpointRow)[];
  /** What the change means for the gate: it wakes and checks its backlog now, or it stops. */
  readonly gate?: 'wakes' | 'stops';
};

/** The fields of a PATCH that cannot be changed, by the endpoint's kind. */
export function changeErrors(
  endpoint: Pick<EndpointRow, 'kind' | 'url' | 'headers'>,
  given: EndpointChange,
): FieldError[] {
  const fixed = isCallback(endpoint) ? NOT_OF_CALLBACKS.filter((field) => given[field] !== undefined) : [];
  return [
    ...refusedFields(endpoint.kind, given),
    ...fixed.map((path) => ({
      path,
      message: `\`${path}\` of a callback comes from its requests; register the request with another callbackUrl.`,
    })),
    ...(takesHeadersAlong(endpoint, given) ? [HEADERS_OF_ANOTHER_HOST] : []),
  ];
}

/** Values of headers are write-only: a changed URL must not show them to another host. */
const HEADERS_OF_ANOTHER_HOST: FieldError = {
  path: 'headers',
  message:
    'The `headers` were given for the former host; give them again with the new `url`, or `{}` for none.',
};

function takesHeadersAlong(
  { url, headers }: Pick<EndpointRow, 'url' | 'headers'>,
  given: EndpointChange,
): boolean {
  if (given.url === undefined || given.headers !== undefined) return false;
  return Object.keys(headers).length > 0 && originOf(given.url) !== originOf(url);
}

/**
 * What a PATCH without {@link changeErrors} changes. Enabling forgets earlier failures, and held
 * deliveries go out; a new URL is probed; a new limit holds at once.
 */
export function changed(endpoint: EndpointRow, given: EndpointChange): ChangedEndpoint {
  const { url, events, description, enabled, rateLimit, ordered, headers } = given;
  const set: Partial<EndpointRow> = {
    ...(url === undefined ? {} : { url }),
    ...ownFieldsOf(given),
    ...(events === undefined ? {} : { events: [...new Set(events)] }),
    ...(description === undefined ? {} : { description }),
    ...(typeof rateLimit === 'number' ? { rateLimit } : {}),
    ...(ordered === undefined ? {} : { ordered }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  };
  const remove: (keyof EndpointRow)[] = rateLimit === null ? ['rateLimit'] : [];
  if (enabled === undefined || enabled === endpoint.enabled) {
    const probes = url !== undefined && isOpen(endpoint.health);
    // By the old limit, the next delivery of the backlog may be far away.
    const changesRate = rateLimit !== undefined && endpoint.lane === GATE_LANE;
    return probes || changesRate
      ? { set, remove: [...remove, ...GATE_WORK], gate: 'wakes' }
      : { set, remove };
  }
  const stateVersion = endpoint.stateVersion + 1;
  if (enabled) {
    const health = enabledAgain(endpoint.health, endpoint.gaveUp);
    return {
      set: { ...set, enabled, stateVersion, health },
      remove: [...remove, ...GATE_WORK, 'disabledReason', 'gaveUp'],
      gate: 'wakes',
    };
  }
  const health = disabled(endpoint.health);
  return {
    set: { ...set, enabled, stateVersion, health, disabledReason: DISABLED_THROUGH_API },
    remove: [...remove, ...GATE_WORK],
    gate: 'stops',
  };
}
