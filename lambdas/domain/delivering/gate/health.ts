import { checkWait } from '../../backoff.ts';

/** How an endpoint has answered recently. Times are ms since epoch. */
export type EndpointHealth = {
  state: 'healthy' | 'failing' | 'disabled';
  /** Since when attempts have failed in a row. */
  failingSince?: number;
  /** The last failed attempt, within an hour. */
  lastFailedAt?: number;
  lastDeliveredAt?: number;
  /** Failed attempts since the last success, with long ones counted several times; counted until the breaker opens. */
  failures?: number;
  /** Since when the breaker is open: only probes and retries go out. */
  openSince?: number;
  /** Its last answer took long, or is taking long. */
  slow?: true;
  /** It was given up and enabled again; its next success is reported. */
  recovering?: true;
};

/** What an attempt says about an endpoint. */
export type Outcome = { readonly succeeded: boolean; readonly durationMs: number };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Failed attempts in a row that open the breaker. */
export const FAILURES_TO_OPEN = 5;
/** A failure that kept a worker this long counts once more: one that takes the whole time opens the breaker at once. */
const AS_BAD_AS_ANOTHER_MS = 3_000;
/** How long attempts must have failed in a row before the endpoint is given up. */
export const GIVE_UP_AFTER_MS = 5 * 24 * HOUR;
/**
 * Failures further apart are not in a row. The schedule's longest step, with its jitter, is 26.4 h, and
 * {@link EndpointHealth.lastFailedAt} may be an hour old.
 */
const IN_A_ROW_MS = 28 * HOUR;
/** An answer that takes longer makes other deliveries wait: its endpoint leaves the fast queue. */
export const SLOW_MS = 2_000;
/** How exactly the time of the last delivery is kept; each renewal is a write. */
const DELIVERED_RESOLUTION_MS = MINUTE;
/** How exactly the time of the last failure is kept while nothing else changes. */
const FAILED_RESOLUTION_MS = HOUR;
/** The recovery from a shorter failure is not reported. */
const REPORTED_AFTER_MS = MINUTE;

const PROBES = { firstMs: 15_000, longestMs: 5 * MINUTE };

export const isOpen = (health: EndpointHealth): boolean => health.openSince !== undefined;

/** When an open breaker lets the next probe through: at intervals that grow from 15 s to 5 min. */
export const probeAt = ({ failingSince = 0 }: EndpointHealth, now: number): number =>
  now + checkWait(now - failingSince, PROBES);

/** A breaker that one more failure opens again. */
export const halfOpen = (health: EndpointHealth): EndpointHealth => ({
  ...withoutBreaker(health),
  failures: FAILURES_TO_OPEN - 1,
});

/** What an attempt changes of the health. */
export type HealthChange = {
  readonly health: EndpointHealth;
  readonly transition?: 'opened' | 'closed' | 'given up';
  /** Whether `endpoint.recovered` is to be sent. */
  readonly recovered?: true;
};

/** The health after an attempt; undefined when nothing has changed that is worth a write. */
export function afterOutcome(
  health: EndpointHealth,
  outcome: Outcome,
  now: number,
): HealthChange | undefined {
  if (health.state === 'disabled') return undefined;
  return outcome.succeeded ? afterSuccess(health, outcome, now) : afterFailure(health, outcome, now);
}

function afterSuccess(health: EndpointHealth, outcome: Outcome, now: number): HealthChange | undefined {
  const { lastDeliveredAt, failingSince } = health;
  const slow = slowness(outcome);
  const fresh = lastDeliveredAt !== undefined && now - lastDeliveredAt <= DELIVERED_RESOLUTION_MS;
  if (health.state === 'healthy' && fresh && health.slow === slow.slow && !health.recovering) {
    return undefined;
  }
  const longFailing = failingSince !== undefined && now - failingSince >= REPORTED_AFTER_MS;
  return {
    health: { state: 'healthy', lastDeliveredAt: now, ...slow },
    ...(isOpen(health) ? { transition: 'closed' } : {}),
    ...(health.recovering || longFailing || isOpen(health) ? { recovered: true } : {}),
  };
}

function afterFailure(health: EndpointHealth, outcome: Outcome, now: number): HealthChange | undefined {
  const { lastFailedAt } = health;
  const inARow = lastFailedAt !== undefined && now - lastFailedAt <= IN_A_ROW_MS;
  const failingSince = (inARow ? health.failingSince : undefined) ?? now;
  const failed: EndpointHealth = {
    ...health,
    state: 'failing',
    failingSince,
    lastFailedAt: now,
    ...slowness(outcome),
  };
  if (now - failingSince >= GIVE_UP_AFTER_MS) {
    return { health: { ...withoutBreaker(failed), state: 'disabled' }, transition: 'given up' };
  }
  if (isOpen(health)) {
    const unchanged = inARow && now - lastFailedAt < FAILED_RESOLUTION_MS && failed.slow === health.slow;
    return unchanged ? undefined : { health: failed };
  }
  const failures = (health.failures ?? 0) + 1 + Math.floor(outcome.durationMs / AS_BAD_AS_ANOTHER_MS);
  if (failures < FAILURES_TO_OPEN) return { health: { ...failed, failures } };
  return { health: { ...failed, failures, openSince: now }, transition: 'opened' };
}

const slowness = ({ durationMs }: Outcome): Pick<EndpointHealth, 'slow'> =>
  durationMs >= SLOW_MS ? { slow: true } : {};

/** What stays of the health when the endpoint is disabled. */
export function disabled(health: EndpointHealth): EndpointHealth {
  return { ...withoutBreaker(health), state: 'disabled' };
}

/** The health of an endpoint that a person enables again: earlier failures no longer count. */
export function enabledAgain(health: EndpointHealth, gaveUp = false): EndpointHealth {
  const { lastDeliveredAt } = health;
  return {
    state: 'healthy',
    ...(lastDeliveredAt === undefined ? {} : { lastDeliveredAt }),
    ...(gaveUp ? { recovering: true } : {}),
  };
}

function withoutBreaker({ openSince, failures, ...health }: EndpointHealth): EndpointHealth {
  return health;
}
