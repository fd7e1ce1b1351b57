import { absent, equals, type Write } from '../adapters/dynamodb/expression.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { Target } from '../domain/delivering/endpoint.ts';
import type { Outcome } from '../domain/delivering/gate/health.ts';
import { afterOutcomeAtOrigin, type OriginRow } from '../domain/delivering/gate/origin.ts';
import { standingOf } from '../domain/delivering/gate/standing.ts';
import { finishedExpiry } from '../domain/retention.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

/** Keeps what the callbacks of an origin have shown of its server. Returns whether anything was written. */
export function createOriginHealth({
  table,
  now,
  retentionDays,
}: Pick<DeliverDependencies, 'table' | 'now' | 'retentionDays'>) {
  async function after(target: Target, outcome: Outcome): Promise<boolean> {
    const { origin } = target;
    if (!origin) return false;
    const standing = standingOf(target);
    const knownSlow = standing === 'slow' || standing === 'failing';
    const change = afterOutcomeAtOrigin(origin, outcome, knownSlow, now());
    return change !== undefined && writeIf(table, changed(origin, change));
  }

  /** An attempt is taking long. */
  async function tooSlow({ origin }: Target): Promise<boolean> {
    return origin !== undefined && !origin.slow && writeIf(table, changed(origin, { ...origin, slow: true }));
  }

  function changed(
    { pk, sk, origin, version }: OriginRow,
    { lastDeliveredAt, slow }: Pick<OriginRow, 'lastDeliveredAt' | 'slow'>,
  ): Write {
    const expiresAt = finishedExpiry(now(), retentionDays);
    return {
      update: { pk, sk },
      set: { origin, lastDeliveredAt, slow, version: version + 1, expiresAt },
      remove: slow ? [] : ['slow'],
      if: [version === 0 ? absent('version') : equals('version', version)],
    };
  }

  return { after, tooSlow };
}
