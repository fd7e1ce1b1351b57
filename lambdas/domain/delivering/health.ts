import { type Attempt, isSuccess } from './attempt.ts';

/** How an endpoint, or an origin of callbacks, has answered of late. Times are ms since epoch. */
export type EndpointHealth = {
  state: 'healthy' | 'failing' | 'disabled';
  failingSince?: number;
  lastDeliveredAt?: number;
  /** Failed attempts since the last success, long ones several times, counted until the breaker opens. */
  failures?: number;
  /** Since when the breaker is open: but for probes, nothing goes out for the first time. */
  openSince?: number;
  /** Its last answer took long, or is taking long. */
  slow?: true;
  /** It was given up and enabled again: its next success is told. */
  recovering?: true;
};

const MINUTE = 60_000;

/** Failed attempts in a row that open the breaker. */
export const FAILURES_TO_OPEN = 5;
/** A failure that kept a worker so long counts once more: one that takes its whole time opens the breaker alone. */
const AS_BAD_AS_ANOTHER_MS = 3_000;
/** An endpoint that has failed for so long, and fails again, is given up. */
export const GIVE_UP_AFTER_MS = 5 * 24 * 60 * MINUTE;
/** An answer that takes longer keeps others waiting: its endpoint leaves the fast queue. */
export const SLOW_MS = 2_000;
/** How exactly the time of the last delivery is kept; each renewal is a write. */
const DELIVERED_RESOLUTION_MS = MINUTE;
/** A shorter trouble is no news. */
const WORTH_TELLING_MS = MINUTE;

const FIRST_PROBE_MS = 15_000;
const LAST_PROBE_MS = 5 * MINUTE;

/** Whether it may be sent first attempts by the fast queue. */
export const isProven = (health: EndpointHealth): boolean =>
  health.state === 'healthy' && health.lastDeliveredAt !== undefined && !health.slow;

export const isOpen = (health: EndpointHealth): boolean => health.openSince !== undefined;

/**
 * Attempts at a time that it may keep busy in the slow queue, of which ten such endpoints leave some to
 * others; undefined: no count is kept (docs/decisions/proven-endpoints-are-not-counted.md).
 */
export function mostAtOnce(health: EndpointHealth): number | undefined {
  if (isProven(health)) return undefined;
  if (health.state !== 'healthy') return 2;
  return health.slow ? 5 : 3;
}

/** When an open breaker lets the next probe through: ever later, from 15 s to 5 min. */
export const probeAt = ({ failingSince = 0 }: EndpointHealth, now: number): number =>
  now + Math.min(LAST_PROBE_MS, Math.max(FIRST_PROBE_MS, (now - failingSince) / 4));

/** A breaker that one more failure opens again. */
export const halfOpen = (health: EndpointHealth): EndpointHealth => ({
  ...withoutBreaker(health),
  failures: FAILURES_TO_OPEN - 1,
});

/** What an attempt changes of the health. */
export type HealthChange = {
  readonly health: EndpointHealth;
  readonly news?: 'opened' | 'closed' | 'given up';
  /** Whether `endpoint.recovered` is worth sending. */
  readonly recovered?: true;
};

/** The health after an attempt; undefined when nothing worth a write has changed. */
export function afterAttemptAt(
  health: EndpointHealth,
  attempt: Attempt,
  now: number,
): HealthChange | undefined {
  if (health.state === 'disabled') return undefined;
  return isSuccess(attempt) ? afterSuccess(health, attempt, now) : afterFailure(health, attempt, now);
}

function afterSuccess(health: EndpointHealth, attempt: Attempt, now: number): HealthChange | undefined {
  const { lastDeliveredAt, failingSince } = health;
  const slow = attempt.durationMs >= SLOW_MS ? { slow: true as const } : {};
  const fresh = lastDeliveredAt !== undefined && now - lastDeliveredAt <= DELIVERED_RESOLUTION_MS;
  if (health.state === 'healthy' && fresh && health.slow === slow.slow && !health.recovering) {
    return undefined;
  }
  const longFailing = failingSince !== undefined && now - failingSince >= WORTH_TELLING_MS;
  return {
    health: { state: 'healthy', lastDeliveredAt: now, ...slow },
    ...(isOpen(health) ? { news: 'closed' } : {}),
    ...(health.recovering || longFailing || isOpen(health) ? { recovered: true } : {}),
  };
}

function afterFailure(health: EndpointHealth, attempt: Attempt, now: number): HealthChange | undefined {
  const { failingSince = now } = health;
  if (now - failingSince >= GIVE_UP_AFTER_MS) {
    return { health: { ...withoutBreaker(health), state: 'disabled', failingSince }, news: 'given up' };
  }
  if (isOpen(health)) return undefined;
  const counts = 1 + Math.floor(attempt.durationMs / AS_BAD_AS_ANOTHER_MS);
  const failures = (health.failures ?? 0) + counts;
  const failing: EndpointHealth = { ...health, state: 'failing', failingSince, failures };
  if (failures < FAILURES_TO_OPEN) return { health: failing };
  return { health: { ...failing, openSince: now }, news: 'opened' };
}

/** What stays of the health when the endpoint is disabled. */
export function disabled(health: EndpointHealth): EndpointHealth {
  return { ...withoutBreaker(health), state: 'disabled' };
}

/** The health of an endpoint that a person enables again: what was is forgiven. */
export function enabledAgain(health: EndpointHealth, gaveUp = false): EndpointHealth {
  const { lastDeliveredAt } = health;
  return {
    state: 'healthy',
    ...(lastDeliveredAt === undefined ? {} : { lastDeliveredAt }),
    // It has to prove itself before it is sent anything by the fast queue.
    ...(gaveUp ? { recovering: true, slow: true } : {}),
  };
}

function withoutBreaker({ openSince, failures, ...health }: EndpointHealth): EndpointHealth {
  return health;
}
