import type { FieldError } from '../field-error.ts';
import { freshDueAt } from '../work.ts';
import type { EndpointRow } from './endpoint.ts';
import { isCallback, refusedFields } from './endpoint-kinds/endpoint-kinds.ts';
import { disabled, enabledAgain, isOpen } from './health.ts';

/** What a PATCH gives; `null` takes the limit away. */
export type EndpointChange = {
  readonly url?: string;
  readonly busName?: string;
  readonly events?: readonly string[];
  readonly description?: string;
  readonly enabled?: boolean;
  readonly rateLimit?: number | null;
  readonly ordered?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A callback is named by its URL, and its filters are its requests'. */
const NOT_OF_CALLBACKS = ['url', 'events'] as const;

/** What belongs to the work on a gate, and goes with it. */
const WORK = ['owner', 'claims', 'parked', 'quietSince'] as const;

/** The fields of a PATCH that cannot be changed, by the endpoint's kind. */
export function changeErrors(endpoint: Pick<EndpointRow, 'kind'>, given: EndpointChange): FieldError[] {
  const fixed = isCallback(endpoint) ? NOT_OF_CALLBACKS.filter((field) => given[field] !== undefined) : [];
  return [
    ...refusedFields(endpoint.kind, given),
    ...fixed.map((path) => ({
      path,
      message: `\`${path}\` of a callback comes from its requests; register the request with another callbackUrl.`,
    })),
  ];
}

/**
 * What a PATCH without {@link changeErrors} sets and removes. Enabling forgives what was; both ways it is another state than before.
 * A `dueAt` that is set is to be hinted: what was held goes out, the new URL is probed, or the new limit holds.
 */
export function changed(
  endpoint: EndpointRow,
  given: EndpointChange,
  now: number,
): { set: Partial<EndpointRow>; remove: (keyof EndpointRow)[] } {
  const { url, busName, events, description, enabled, rateLimit, ordered, headers } = given;
  const set: Partial<EndpointRow> = {
    ...(url === undefined ? {} : { url }),
    ...(busName === undefined ? {} : { busName }),
    ...(events === undefined ? {} : { events: [...new Set(events)] }),
    ...(description === undefined ? {} : { description }),
    ...(typeof rateLimit === 'number' ? { rateLimit } : {}),
    ...(ordered === undefined ? {} : { ordered }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  };
  const remove: (keyof EndpointRow)[] = rateLimit === null ? ['rateLimit'] : [];
  const awake = { lane: 'deliver-slow', dueAt: freshDueAt(now, endpoint.dueAt) };
  if (enabled === undefined || enabled === endpoint.enabled) {
    const probes = url !== undefined && isOpen(endpoint.health);
    // By the old limit the next of the backlog may be far away.
    const paces = rateLimit !== undefined && endpoint.lane === 'deliver-slow';
    return probes || paces ? { set: { ...set, ...awake }, remove: [...remove, ...WORK] } : { set, remove };
  }
  const stateVersion = endpoint.stateVersion + 1;
  if (enabled) {
    return {
      set: {
        ...set,
        ...awake,
        enabled,
        stateVersion,
        health: enabledAgain(endpoint.health, endpoint.gaveUp),
      },
      remove: [...remove, ...WORK, 'disabledReason', 'gaveUp'],
    };
  }
  const health = disabled(endpoint.health);
  return {
    set: { ...set, enabled, stateVersion, health, disabledReason: 'disabled by hand' },
    remove: [...remove, ...WORK, 'lane', 'dueAt'],
  };
}
