import * as z from 'zod/mini';
import { countOf, named, textOf, timeOf } from '../http/answers.ts';
import { RANGE_NAMES } from './history-route.ts';

named('Health', z.object({ status: z.literal('ok').check(z.describe('The function answers.')) }));

export const whoamiAnswer = named(
  'Whoami',
  z.object({
    id: textOf('As in the secret of API keys.'),
    role: z.enum(['admin', 'read']).check(z.describe('`read` changes nothing.')),
  }),
);

/** What `GET /v1/stats` answers. */
export const statsAnswer = named(
  'Stats',
  z.object({
    requests: z
      .object({
        byState: z.record(z.string(), countOf('Requests.')).check(z.describe('Requests by state.')),
        byStatus: z.record(z.string(), countOf('Requests.')).check(z.describe('Requests by status.')),
        capped: z.boolean().check(z.describe('Whether there may be more than were counted.')),
      })
      .check(z.describe('All that are tracked.')),
    lanes: z
      .record(
        z.string(),
        z.object({
          waiting: countOf('Rows that are due later.'),
          overdue: countOf('Rows that should have been taken up.'),
          oldestOverdueSeconds: countOf('How late the oldest of them is.'),
          parked: countOf('Rows that wait for a person.'),
          capped: z.optional(z.boolean().check(z.describe('Whether more wait than were counted.'))),
        }),
      )
      .check(z.describe('The work that is left to do, by its kind.')),
    upstream: z
      .object({
        state: z.enum(['ok', 'paused']).check(z.describe('While it is paused, nothing is polled.')),
        reason: z.optional(textOf('Why it is paused.')),
        since: z.optional(timeOf('Since when.')),
        until: z.optional(timeOf('When a probe is sent.')),
      })
      .check(z.describe('The Topaz API.')),
  }),
);

const seriesOf = (description: string) =>
  z
    .array(
      z.object({
        at: timeOf('The beginning of the period.'),
        value: z.number().check(z.describe('The sum of the period.')),
      }),
    )
    .check(z.describe(description));

/** What `GET /v1/stats/history` answers. */
export const historyAnswer = named(
  'History',
  z.object({
    range: z.enum(RANGE_NAMES).check(z.describe('As it was asked for.')),
    periodSeconds: countOf('The length of each period.'),
    series: z
      .object({
        polls: seriesOf('Calls of the Topaz API.'),
        transitions: seriesOf('Changes of status that were seen.'),
        copies: seriesOf('Videos that were stored.'),
        deliveries: seriesOf('Deliveries that arrived.'),
        failures: seriesOf('Copies and deliveries that failed for good, and lost requests.'),
      })
      .check(z.describe('Sums by period, the oldest first.')),
  }),
);
