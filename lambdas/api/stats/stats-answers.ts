import * as z from 'zod/mini';
import { count, named, shownTime } from '../http/answers.ts';

export const healthAnswer = named('Health', z.object({ status: z.literal('ok') }));

export const whoamiAnswer = named(
  'Whoami',
  z.object({
    id: z.string().check(z.describe('As in the secret of API keys.')),
    role: z.enum(['admin', 'read']),
  }),
);

/** What `GET /v1/stats` answers. */
export const statsAnswer = named(
  'Stats',
  z.object({
    requests: z.object({
      byState: z.record(z.string(), count),
      byStatus: z.record(z.string(), count),
      capped: z.boolean(),
    }),
    lanes: z.record(
      z.string(),
      z.object({
        waiting: count,
        overdue: count,
        oldestOverdueSeconds: count,
        parked: count,
        capped: z.optional(z.boolean()),
      }),
    ),
    upstream: z.object({
      state: z.enum(['ok', 'paused']),
      reason: z.optional(z.string()),
      since: z.optional(shownTime),
      until: z.optional(shownTime),
    }),
  }),
);

/** How far back `GET /v1/stats/history` goes. */
export const RANGE_NAMES = ['1h', '24h', '7d'] as const;

const series = z.array(z.object({ at: shownTime, value: z.number() }));

/** What `GET /v1/stats/history` answers. */
export const historyAnswer = named(
  'History',
  z.object({
    range: z.enum(RANGE_NAMES),
    periodSeconds: count,
    series: z.object({
      polls: series,
      transitions: series,
      copies: series,
      deliveries: series,
      failures: series,
    }),
  }),
);

/** What `GET /v1/doctor` answers. */
export const doctorAnswer = named(
  'Doctor',
  z.object({
    checks: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['ok', 'warning', 'failed']),
        detail: z.string(),
        remedy: z.optional(z.string()),
      }),
    ),
    version: z.string().check(z.describe('Of the package that is deployed.')),
  }),
);
