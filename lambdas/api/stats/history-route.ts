import * as z from 'zod/mini';
import { iso } from '../../domain/iso.ts';
import type { SummedMetric } from '../../domain/metrics.ts';
import type { ApiContext } from '../http/context.ts';
import { ok, type Route, route } from '../http/route.ts';
import type { MetricHistory } from './metric-history.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How far back `GET /v1/stats/history` goes. */
export const RANGE_NAMES = ['1h', '24h', '7d'] as const;
type Range = (typeof RANGE_NAMES)[number];
const RANGES = {
  '1h': { rangeMs: HOUR, periodMs: MINUTE },
  '24h': { rangeMs: 24 * HOUR, periodMs: 15 * MINUTE },
  '7d': { rangeMs: 7 * 24 * HOUR, periodMs: HOUR },
} as const satisfies Record<Range, unknown>;

/** What each series is the sum of. */
const SERIES = {
  polls: ['Polls'],
  transitions: ['Transitions'],
  copies: ['CopiesStored'],
  deliveries: ['DeliveriesSucceeded'],
  failures: ['VideosMissing', 'DeliveriesFailed'],
} as const satisfies Record<string, readonly SummedMetric[]>;

/** How long an answer is reused, ms: CloudWatch charges for each metric of a call. */
const CACHE_MS = MINUTE;

/** What the bridge did over time, by the metrics that CloudWatch has. */
export function historyRoute({ now }: Pick<ApiContext, 'now'>, metricHistory: MetricHistory): Route {
  const cached = new Map<Range, { at: number; answer: ReturnType<typeof history> }>();

  async function history(range: Range) {
    const { rangeMs, periodMs } = RANGES[range];
    const until = Math.floor(now() / periodMs) * periodMs + periodMs;
    const from = until - rangeMs;
    const names = Object.values(SERIES).flat();
    const points = await metricHistory(names, from, until, periodMs);
    const periods = Array.from({ length: rangeMs / periodMs }, (_, i) => from + i * periodMs);
    const summed = (metrics: readonly SummedMetric[]) => {
      const byPeriod = new Map<number, number>();
      for (const { at, value } of metrics.flatMap((name) => points.get(name) ?? []))
        byPeriod.set(at, (byPeriod.get(at) ?? 0) + value);
      return periods.map((at) => ({ at: iso(at), value: byPeriod.get(at) ?? 0 }));
    };
    return {
      range,
      periodSeconds: periodMs / 1000,
      series: Object.fromEntries(Object.entries(SERIES).map(([name, metrics]) => [name, summed(metrics)])),
    };
  }

  return route({
    name: 'getStatsHistory',
    method: 'GET',
    path: '/v1/stats/history',
    access: 'read',
    summary: 'Shows polls, transitions, stored videos, deliveries and failures over time.',
    query: z.strictObject({
      range: z._default(z.enum(RANGE_NAMES).check(z.describe('How far back it goes.')), '1h'),
    }),
    answers: { 200: 'History' },
    handle: async ({ query: { range } }) => {
      const kept = cached.get(range);
      if (kept && now() - kept.at < CACHE_MS) return ok(await kept.answer);
      const answer = history(range);
      cached.set(range, { at: now(), answer });
      answer.catch(() => cached.delete(range));
      return ok(await answer);
    },
  });
}
