import { originKey } from '../../rows.ts';
import type { RowKey } from '../../work.ts';
import { type Outcome, SLOW_MS } from './health.ts';

/**
 * What the callbacks of one origin (`https://example.com`) have shown of its server. Each callback has its
 * own breaker, since a failure concerns one URL; only slowness concerns the server behind it.
 */
export type OriginRow = RowKey & {
  origin: string;
  /** The last quick delivery, within a minute; ms since epoch. */
  lastDeliveredAt?: number;
  /** A callback that was quick before, or new, took long. */
  slow?: true;
  /** Counts the writes; a writer must have read the last count. */
  version: number;
  /** s since epoch */
  expiresAt: number;
};

/** How exactly the time of the last delivery is kept; each renewal is a write. */
const DELIVERED_RESOLUTION_MS = 60_000;

/** The origin of a URL, such as `https://example.com`. */
export const originOf = (url = ''): string => (URL.canParse(url) ? new URL(url).origin : url);

/** An origin that nothing is known of yet. */
export const newOrigin = (origin: string): OriginRow => ({
  ...originKey(origin),
  origin,
  version: 0,
  expiresAt: 0,
});

/**
 * What an attempt to one of its callbacks changes; undefined when nothing is worth a write.
 *
 * @param knownSlow the callback was slow or failing before: one more long answer says nothing new
 */
export function afterOutcomeAtOrigin(
  { lastDeliveredAt, slow }: OriginRow,
  { succeeded, durationMs }: Outcome,
  knownSlow: boolean,
  now: number,
): Pick<OriginRow, 'lastDeliveredAt' | 'slow'> | undefined {
  if (durationMs >= SLOW_MS) return slow || knownSlow ? undefined : { lastDeliveredAt, slow: true };
  if (!succeeded) return undefined;
  const fresh = lastDeliveredAt !== undefined && now - lastDeliveredAt <= DELIVERED_RESOLUTION_MS;
  return fresh && !slow ? undefined : { lastDeliveredAt: now };
}
