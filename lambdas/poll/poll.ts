import type { Table } from '../adapters/dynamodb/table.ts';
import { createPollLimiter } from '../domain/polling/poll-limiter.ts';
import type { UpstreamPause } from '../domain/polling/upstream-pause.ts';
import type { RequestRow } from '../domain/requests/request.ts';
import { DEFAULT_TRANSITION_SETTINGS, type TransitionSettings } from '../domain/requests/transition.ts';
import type { Claims } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';
import { stage } from '../engine/stage.ts';
import { createPollRequest } from './poll-request.ts';
import { createProgressWanted } from './progress-wanted.ts';
import { TIMEOUT_MS, type Topaz } from './topaz.ts';
import { createUpstreamPauses } from './upstream-pause.ts';

export type PollOptions = {
  readonly table: Table;
  readonly claims: Claims;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly topaz: Topaz;
  /** This worker's share of the cap on polls. */
  readonly perSecond: number;
  readonly retentionDays: number;
  readonly settings?: TransitionSettings;
  readonly onPause: (pause: UpstreamPause) => void;
  readonly count: (
    metric: 'Polls' | 'PollFaults' | 'PollLateness' | 'Transitions' | 'RequestsLost',
    value?: number,
  ) => void;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

/** What a poll needs of a function's time besides its own time-out, ms. */
const COMMIT_MS = 5_000;

/** The stage that polls: asks upstream about the requests that are due, at most so many per second. */
export function createPoll(options: PollOptions) {
  const { table, claims, hints, now, random, sleep, topaz, perSecond, retentionDays } = options;
  const { settings = DEFAULT_TRANSITION_SETTINGS, onPause, count, log } = options;
  const limiter = createPollLimiter(perSecond);
  return stage<RequestRow>({
    lanes: ['poll'],
    claims,
    hints,
    now,
    // As many as keep the rate while upstream takes two seconds for an answer: none waits longer for its start.
    concurrency: Math.ceil(2 * perSecond),
    rowMs: TIMEOUT_MS + COMMIT_MS,
    work: createPollRequest({
      table,
      claims,
      topaz,
      pauses: createUpstreamPauses({ table, now, random, onApply: onPause }),
      acquire: async () => {
        const startAt = limiter.acquire(now());
        await sleep(Math.max(0, startAt - now()));
      },
      now,
      random,
      retentionDays,
      settings,
      progressWanted: createProgressWanted(table, now),
      count,
      log,
    }),
  });
}
