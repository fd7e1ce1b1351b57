import { limiterKey } from '../../rows.ts';
import type { Lane, RowKey } from '../../work.ts';
import type { Gate } from './gate.ts';
import type { OriginRow } from './origin.ts';

/** An endpoint, and for a callback what is known of its origin. */
export type GateTarget = { readonly endpoint: Gate; readonly origin?: OriginRow };

/** What past attempts have shown of an endpoint. */
type Standing = 'proven' | 'new' | 'slow' | 'failing';

/** Attempts under way at most to one endpoint, or to all callbacks of one origin with this standing. */
const AT_ONCE: Record<Standing, number> = { proven: 5, new: 3, slow: 5, failing: 2 };

/** Attempts under way at most to all slow endpoints together: they leave half of the workers to others. */
const allSlow = (workers: number): Limit => ({
  key: limiterKey({ pk: 'ALL', sk: 'SLOW' }),
  atOnce: Math.max(1, Math.floor(workers / 2)),
});

/** A limiter row, and what it limits: attempts under way, starts per second, or both. */
export type Limit = { readonly key: RowKey; readonly atOnce?: number; readonly perSecond?: number };

/** A callback to which nothing was sent yet has the standing of its origin. */
export function standingOf({ endpoint: { health }, origin }: GateTarget): Standing {
  if (health.state !== 'healthy') return 'failing';
  if (health.slow) return 'slow';
  if (health.recovering) return 'new';
  const ofOrigin = origin?.slow ? undefined : origin?.lastDeliveredAt;
  return (health.lastDeliveredAt ?? ofOrigin) === undefined ? 'new' : 'proven';
}

/** Whether the fast queue may send to it: it has delivered, and its server answers quickly. */
export const isFast = (target: GateTarget): boolean =>
  standingOf(target) === 'proven' && !target.origin?.slow;

/** Whether its attempts are counted or spaced. */
export const isLimited = (target: GateTarget): boolean =>
  !isFast(target) || target.endpoint.rateLimit !== undefined;

export const laneOf = (target: GateTarget): Lane => (isFast(target) ? 'deliver' : 'deliver-slow');

/**
 * The limits that an attempt is subject to. Attempts by the fast queue are not counted
 * (docs/decisions/proven-endpoints-are-not-counted.md). The callbacks of an origin share a count, so that
 * a server that hangs keeps few workers busy; but those that fail have another than those that work.
 *
 * @param workers of the slow queue at most
 */
export function limitsOf(target: GateTarget, workers: number): Limit[] {
  const { endpoint, origin } = target;
  const perSecond = endpoint.rateLimit;
  const rate = perSecond === undefined ? [] : [{ key: limiterKey(endpoint), perSecond }];
  if (isFast(target)) return rate;
  const standing = standingOf(target);
  const isSlow = endpoint.health.slow || (origin?.slow && standing !== 'proven');
  const atOnce = AT_ONCE[standing];
  return [
    ...(isSlow ? [allSlow(workers)] : []),
    ...(origin
      ? [{ key: limiterKey(origin, standing), atOnce }, ...rate]
      : [{ key: limiterKey(endpoint), atOnce, ...(perSecond === undefined ? {} : { perSecond }) }]),
  ];
}
