import { createPollLimiter } from '../domain/polling/poll-limiter.ts';
import type { UpstreamCheckRow } from '../domain/polling/upstream-check.ts';
import type { UpstreamPause } from '../domain/polling/upstream-pause.ts';
import type { RequestRow } from '../domain/requests/request.ts';
import { workOf } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { Hints } from '../engine/hints.ts';
import { stage, type WorkContext } from '../engine/stage.ts';
import { createCheckUpstream } from './check-upstream.ts';
import type { PollDependencies } from './poll-dependencies.ts';
import { createPollRequest } from './poll-request.ts';
import { createProgressWanted } from './progress-wanted.ts';
import { TIMEOUT_MS } from './topaz.ts';
import { createUpstreamPauses } from './upstream-pause.ts';

type PollOptions = Omit<PollDependencies, 'pauses' | 'acquire' | 'progressWanted'> & {
  readonly hints: Pick<Hints, 'send'>;
  readonly sleep: (ms: number) => Promise<void>;
  /** This worker's share of the cap on polls. */
  readonly perSecond: number;
  readonly onPause: (pause: UpstreamPause) => void;
};

/** What a poll needs of a function's time besides its own time-out, ms. */
const COMMIT_MS = 5_000;

/** The stage that polls: asks upstream about the requests that are due, within a limit per second. */
export function createPoll(options: PollOptions) {
  const { table, claims, hints, now, random, sleep, perSecond, onPause } = options;
  const limiter = createPollLimiter(perSecond);
  const acquire = async () => {
    const startAt = limiter.acquire(now());
    await sleep(Math.max(0, startAt - now()));
  };
  const pollRequest = createPollRequest({
    ...options,
    pauses: createUpstreamPauses({ table, now, random, onApply: onPause }),
    acquire,
    progressWanted: createProgressWanted(table, now),
  });
  const checkUpstream = createCheckUpstream({ ...options, acquire });

  async function work(claim: Claim, context: WorkContext): Promise<void> {
    if (workOf(claim.row).kind === 'upstream-check') return checkUpstream(claim as Claim<UpstreamCheckRow>);
    return pollRequest(claim as Claim<RequestRow>, context);
  }

  return stage<RowKey>({
    lanes: ['poll'],
    claims,
    hints,
    now,
    // As many as keep the rate while upstream takes two seconds to answer, so no row waits longer than about
    // two seconds for its start.
    concurrency: Math.ceil(2 * perSecond),
    rowMs: TIMEOUT_MS + COMMIT_MS,
    work,
  });
}
